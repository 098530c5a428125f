// The pull secrets of pods: read as they are now, in the order in which the pod names them.
// Invariant: a secret that is missing or broken is told of and passed over; the pull is tried all the same.
import type { Pod, Secret } from '../../api/generated/types.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import { parseImageName } from '../images/image-name.ts';
import type { RegistryCredential } from '../runtime/runtime.ts';
import { ConfigError } from '../volumes/volume-error.ts';
import { BadPullSecret, credentialsFor, entriesOf, type KeyringEntry } from './credentials.ts';

/** What they need. */
export interface PullSecretParts {
  /** As ObjectSources answers. */
  readonly sources: { secret(namespace: string, name: string): Promise<Secret | undefined> };
  readonly events: { event(about: Pod, note: EventNote): void };
}

/** The pull secrets of a node's pods. */
export class PullSecrets {
  readonly #parts: PullSecretParts;

  constructor(parts: PullSecretParts) {
    this.#parts = parts;
  }

  /** What the pod has for the registry of an image, the most specific first. */
  async credentialsOf(pod: Pod, image: string): Promise<readonly RegistryCredential[]> {
    const names = (pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => name || []);
    const repository = parseImageName(image)?.repository;
    if (names.length === 0 || repository === undefined) return [];
    const unread: string[] = [];
    const read = await Promise.all(names.map((name) => this.#entries(pod, name, unread)));
    if (unread.length > 0) {
      const message = `Unable to retrieve some image pull secrets (${unread.join(', ')}); attempting to pull the image may not succeed.`;
      this.#tell(pod, message);
    }
    return credentialsFor(repository, read.flat());
  }

  async #entries(pod: Pod, name: string, unread: string[]): Promise<readonly KeyringEntry[]> {
    try {
      const secret = await this.#parts.sources.secret(pod.metadata.namespace ?? '', name);
      if (secret) return entriesOf(secret);
      unread.push(name);
    } catch (error) {
      if (error instanceof ConfigError) unread.push(name);
      else if (error instanceof BadPullSecret)
        this.#tell(pod, `Image pull secret ${name} cannot be used: ${error.message}`);
      else throw error;
    }
    return [];
  }

  #tell(pod: Pod, message: string): void {
    this.#parts.events.event(pod, {
      type: 'Warning',
      reason: 'FailedToRetrieveImagePullSecret',
      message,
    });
  }
}
