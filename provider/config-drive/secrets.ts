/** Properties of a ConfigDrive that are always encrypted in the state: for the class and for the handler, which proves them. */

/** Arguments. */
export const SECRET_ARGUMENTS = ["userData", "vendorData", "imageBase64", "filesSha256"] as const;
export const SECRET_OUTPUTS = ["content", "sha256", ...SECRET_ARGUMENTS] as const;
