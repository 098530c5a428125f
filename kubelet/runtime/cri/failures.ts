// From what a runtime says when it fails to what the agent tells people. Pure.
// Invariant: what is gone already counts as removed; every other failure is a RuntimeError with a reason.
import { RuntimeError } from '../runtime.ts';
import { GrpcError } from './grpc.ts';

/** Runs a call whose failure has this reason. */
export async function failingAs<T>(reason: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    throw new RuntimeError(reason, messageOf(error), error);
  }
}

/** Runs a removal of something that may be gone already. */
export async function unlessGone(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof GrpcError) || error.code !== 'NOT_FOUND') throw error;
  }
}

/** What to tell of a failure: the runtime's words. */
export function messageOf(error: unknown): string {
  if (error instanceof GrpcError && error.code === 'UNAVAILABLE')
    return `the container runtime cannot be reached: ${error.message}`;
  return (error as Error).message;
}
