// Making what every namespace is to have, while others may make it too or end the namespace.
// Invariant: resolves only when nothing is missing any more.
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../../api/status.ts';

/**
 * Waits for a creation; one that somebody else did meanwhile, or in a namespace that is ending or gone, is fine. One that is
 * forbidden for any other reason is thrown: somebody is to hear of it.
 */
export async function madeOrNeedless(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    const isFine = isAlreadyExists(error) || isNamespaceTerminating(error) || isNotFound(error);
    if (!isFine) throw error;
  }
}
