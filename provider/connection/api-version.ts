/** Versions of Ironic's API, which are 1.N: written and read. */

export const formatMinor = (minor: number): string => `1.${minor}`;

/** Minor of `1.N` or of `N`; undefined for anything else. */
export const parseMinor = (text: string): number | undefined => {
  const match = /^(?:1\.)?(\d{1,4})$/.exec(text.trim());
  return match?.[1] === undefined ? undefined : Number(match[1]);
};
