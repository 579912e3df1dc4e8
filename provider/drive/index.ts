/** A config drive as data. */
export { addressHash, imageHash, jsonDriveHash } from "./content-hash.ts";
export { buildDrive, checkDrive, type DriveArgs, driveShape } from "./drive.ts";
export { readKeyFile } from "./meta-data.ts";
export { type DriveReference, formatReference, parseReference } from "./reference.ts";
export { describeSource, loadDriveContent } from "./source.ts";
