/** What the tests of the client begin with. */
import { expect } from "chai";
import { IronicError } from "../../provider/core/errors.ts";
import { rejection } from "../fakes/http-server.ts";

export const answerOf = async (promise: Promise<unknown>): Promise<IronicError> => {
  const error = await rejection(promise);
  expect(error).to.be.instanceOf(IronicError);
  return error as IronicError;
};
