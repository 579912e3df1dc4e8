import { gzipSync } from "fflate";

/**
 * Gzip whose bytes depend on the data only: no time stamp, a fixed operating system byte, and a compressor in JavaScript,
 * as the one in Node gives other bytes on other processors and in other versions of Node.
 */
export const gzip = (data: Uint8Array): Uint8Array => gzipSync(data, { level: 6, mtime: 0 });
