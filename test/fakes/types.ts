/** Types compared by the compiler. */
import type * as pulumi from "@pulumi/pulumi";

/** A program's arguments with every input as the value that the provider gets. */
export type Plain<T> = unknown extends T
  ? unknown
  : T extends Promise<unknown> | pulumi.OutputInstance<unknown>
    ? never
    : T extends readonly (infer Entry)[]
      ? Plain<Entry>[]
      : T extends object
        ? { [Key in keyof T]: Plain<T[Key]> }
        : T;

type Same<A, B> = [A, B] extends [B, A] ? true : false;

/** Have both the same keys, each with the same type? */
export type Equal<A, B> =
  Same<keyof A, keyof B> extends true ? (Same<Required<A>, Required<B>> extends true ? Same<A, B> : false) : false;
