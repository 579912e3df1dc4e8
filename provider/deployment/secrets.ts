/** Properties of a RamdiskDeployment that are always encrypted in the state: for the class and for the handler, which proves them. */

/** Arguments. */
export const SECRET_ARGUMENTS = ["configDrive"] as const;
export const SECRET_OUTPUTS = [...SECRET_ARGUMENTS, "driveHash"] as const;
