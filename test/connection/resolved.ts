/** Settings and surroundings, and the connection that they make. */
import { expect } from "chai";
import type { Surroundings } from "../../provider/connection/cloud-files.ts";
import { type Connection, resolveConnection } from "../../provider/connection/connection.ts";
import { ProblemError } from "../../provider/core/errors.ts";

const secretWords = ["hunter22", "t0ken", "s3cret"];

export const resolve = (
  settings: Record<string, string>,
  env: NodeJS.ProcessEnv = {},
  files: Record<string, string> = {},
  onSecret?: (secret: string) => void,
): Connection => {
  const around: Surroundings = {
    env,
    cwd: "/project",
    home: "/home/u",
    platform: "linux",
    readFile: (path) => files[path],
  };
  return resolveConnection((key) => settings[key], env, around, onSecret);
};

export const refusal = (...args: Parameters<typeof resolve>): string => {
  try {
    resolve(...args);
  } catch (error) {
    expect(error).to.be.instanceOf(ProblemError);
    const { message } = error as Error;
    for (const word of secretWords) expect(message).to.not.contain(word);
    return message;
  }
  throw new Error("it was not refused");
};

export const home = "/home/u/.config/openstack/clouds.yaml";
export const keystoneCloud = `clouds:
  lab:
    region_name: north
    auth:
      auth_url: https://k.example.org
      username: ann
      password: hunter22
      project_name: lab
      user_domain_name: Default
      project_domain_name: Default
`;
