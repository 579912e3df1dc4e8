import { FIRST_DESCRIPTOR, SECTOR } from "./image.ts";

/** As many bytes from the start of an image as {@link readLabel} needs. */
export const LABEL_BYTES: number = (FIRST_DESCRIPTOR + 1) * SECTOR;

/**
 * The volume label of an ISO 9660 image, `undefined` if `image` is none. The image's first {@link LABEL_BYTES} bytes are enough.
 */
export function readLabel(image: Uint8Array): string | undefined {
  const descriptor = Buffer.from(image.buffer, image.byteOffset, image.byteLength).subarray(
    FIRST_DESCRIPTOR * SECTOR,
    LABEL_BYTES,
  );
  if (descriptor.length < SECTOR || descriptor[0] !== 1 || descriptor.toString("latin1", 1, 6) !== "CD001")
    return undefined;
  return descriptor.toString("latin1", 40, 72).replace(/[ \0]+$/, "");
}
