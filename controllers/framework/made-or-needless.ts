// Making what every namespace is to have, while others may make it too or end the namespace.
// Invariant: resolves only when nothing is missing any more.
import { isAlreadyExists, isForbidden, isNotFound } from '../../api/status.ts';

/** Waits for a creation; one that somebody else did meanwhile, or in a namespace that is ending or gone, is fine. */
export async function madeOrNeedless(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isAlreadyExists(error) && !isForbidden(error) && !isNotFound(error)) throw error;
  }
}
