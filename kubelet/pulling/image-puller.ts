// Has an image there for a container or a volume of a pod: by its pull policy, with its pull secrets, in its turn. Events and reasons as upstream.
// Invariants: throws StartFailure with the reason that a waiting state shows and the time of the next try; what a policy or a
// missing right forbids is never used; a pod that leaves gives its pull up.
import type { Pod } from '../../api/generated/types.ts';
import { goDurationText } from '../../api/cel/time-values.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { Slots } from '../../base/slots.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import type { KubeletConfiguration } from '../configuration.ts';
import { imageNameRefusal, parseImageName } from '../images/image-name.ts';
import { failedNote, StartFailure } from '../pods/start-failure.ts';
import {
  type ImageInfo,
  type ImageStore,
  PullError,
  type PullReason,
  type PullRequest,
} from '../runtime/runtime.ts';
import { isNamedByHand } from './image-ref.ts';
import { fingerprintOf, type PullAccess } from './pull-access.ts';
import { NoRegistry, type Pulled, PullFlights } from './pull-flights.ts';
import type { PullSecrets } from './pull-secrets.ts';
import { type PullWait, PullWaits } from './pull-waits.ts';
import { containerPath } from '../pods/container-path.ts';

/** How soon a missing image is looked for again: looking is local and cheap, and somebody may load it by hand. */
export const LOOK_FOR_IMAGE_MS = 2_000;

/** What is needed, and for whom. */
export interface ImageWanted {
  readonly pod: Pod;
  /** The container, or for an image volume what stands for one: the volume's name and its image. */
  readonly container: PullRequest['container'];
  /** Aborted when the pod leaves. */
  readonly signal: AbortSignal;
}

/** What a puller needs. */
export interface PullerParts {
  readonly images: ImageStore;
  readonly secrets: PullSecrets;
  readonly access: PullAccess;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: { event(about: Pod, note: EventNote): void };
  readonly configuration: Pick<
    KubeletConfiguration,
    'serializeImagePulls' | 'maxParallelImagePulls'
  >;
  /** Told of each pull that ended well: how large, and how long it took with the wait for its turn. */
  readonly onPulled?: ((sizeBytes: number, ms: number) => void) | undefined;
}

/** One wanted image, with all that a try needs. */
interface Try extends ImageWanted {
  readonly name: string;
  /** What the pod brings, as a digest. */
  readonly fingerprint: string;
  readonly credentials: NonNullable<PullRequest['credentials']>;
}

/** Brings images to one node. */
export class ImagePuller {
  readonly #parts: PullerParts;
  readonly #flights: PullFlights;
  readonly #waits = new PullWaits();
  /** By pod. */
  readonly #held = new Map<string, Set<string>>();

  constructor(parts: PullerParts) {
    this.#parts = parts;
    const { serializeImagePulls, maxParallelImagePulls } = parts.configuration;
    const slots = new Slots(serializeImagePulls ? 1 : (maxParallelImagePulls ?? Infinity));
    this.#flights = new PullFlights({ ...parts, slots });
  }

  /** The image, present and allowed; it stays while the pod does. Throws StartFailure. */
  async ensure(wanted: ImageWanted): Promise<ImageInfo> {
    const image = await this.#ensure(wanted);
    const uid = wanted.pod.metadata.uid ?? '';
    this.#held.set(uid, (this.#held.get(uid) ?? new Set()).add(image.id));
    return image;
  }

  async #ensure(wanted: ImageWanted): Promise<ImageInfo> {
    const name = wanted.container.image ?? '';
    const policy = wanted.container.imagePullPolicy ?? 'IfNotPresent';
    const present = await this.#parts.images.resolve(name);
    if (!present && !parseImageName(name)) throw invalidName(name);
    if (!present && policy === 'Never')
      throw neverPulled(notPresent(name), this.#parts.clock.now());
    if (present && this.#isFree(wanted, present)) return this.#use(wanted, present);
    const asked = await this.#withCredentials(wanted, name);
    if (present && policy !== 'Always') {
      if (this.#parts.access.mayUse(name, present, asked.fingerprint))
        return this.#use(wanted, present);
      if (policy === 'Never') throw neverPulled(notAllowed(name), this.#parts.clock.now());
    }
    return this.#pull(asked, present);
  }

  /** Ids of images that were handed out to pods that are not gone: containers or volumes may be being made from them. */
  held(): ReadonlySet<string> {
    return new Set([...this.#held.values()].flatMap((ids) => [...ids]));
  }

  /** The pod is gone: its waits are over, and it needs no image any more. */
  forget(podUid: string): void {
    this.#waits.forget(podUid);
    this.#held.delete(podUid);
  }

  /** May it be used without a question? `Always` asks for what a registry has; what was loaded by hand has its owner only. */
  #isFree({ container }: ImageWanted, present: ImageInfo): boolean {
    const { access } = this.#parts;
    if (container.imagePullPolicy === 'Always')
      return present.repoDigests.length === 0 || isNamedByHand(present, container.image ?? '');
    return !access.isGuarded(container.image ?? '', present);
  }

  #use({ pod, container }: ImageWanted, image: ImageInfo): ImageInfo {
    const message = `Container image "${container.image}" already present on machine and can be accessed by the pod`;
    this.#waits.clear(pod.metadata.uid ?? '', container.image ?? '');
    this.#parts.events.event(pod, {
      type: 'Normal',
      reason: 'Pulled',
      message,
      ...containerPath(pod, container.name),
    });
    return image;
  }

  async #withCredentials(wanted: ImageWanted, name: string): Promise<Try> {
    const credentials = await this.#parts.secrets.credentialsOf(wanted.pod, name);
    return { ...wanted, name, credentials, fingerprint: fingerprintOf(credentials) };
  }

  async #pull(asked: Try, present: ImageInfo | undefined): Promise<ImageInfo> {
    const { pod, name, fingerprint } = asked;
    const { clock, events, access, onPulled } = this.#parts;
    const uid = pod.metadata.uid ?? '';
    const wait = this.#waits.of(uid, name, { with: fingerprint, nowMs: clock.now() });
    if (wait) throw this.#backOff(asked, wait);
    const begun = clock.monotonic();
    const verify = present !== undefined;
    const key = `${verify} ${fingerprint} ${name}`;
    const joined = this.#flights.join(key, name, { ...asked, verify });
    if (!joined && present) return this.#use(asked, present);
    const tell = (reason: string, message: string) =>
      events.event(pod, {
        type: 'Normal',
        reason,
        message,
        ...containerPath(pod, asked.container.name),
      });
    tell('Pulling', `Pulling image "${name}"`);
    access.begun(name);
    try {
      const pulled = await (joined ?? Promise.reject(new NoRegistry()));
      access.pulled(name, pulled.image, fingerprint);
      this.#waits.clear(uid, name);
      const tookMs = clock.monotonic() - begun;
      tell('Pulled', pulledText(name, pulled, tookMs));
      onPulled?.(pulled.image.sizeBytes, tookMs);
      return pulled.image;
    } catch (error) {
      access.failed(name);
      if (error instanceof NoRegistry && present) return this.#use(asked, present);
      throw this.#failed(asked, error as Error);
    }
  }

  /** A pull that its pod gave up is nobody's fault; any other is tried again, each time later. */
  #failed({ pod, name, signal, fingerprint }: Try, cause: Error): StartFailure {
    if (signal.aborted)
      return new StartFailure('ContainerCreating', cause.message, {
        retry: 'soon',
        notes: [],
        cause,
      });
    const { reason, message } = problemOf(name, cause);
    const nowMs = this.#parts.clock.now();
    const failure = { with: fingerprint, reason, message, nowMs };
    this.#waits.failed(pod.metadata.uid ?? '', name, failure);
    const said = `Failed to pull image "${name}": ${cause instanceof NoRegistry ? message : cause.message}`;
    return new StartFailure(reason, message, {
      retry: { atMs: nowMs + LOOK_FOR_IMAGE_MS },
      notes: [{ type: 'Warning', reason: 'Failed', message: said }, failedNote(reason)],
      cause,
    });
  }

  /** What might be loaded by hand meanwhile is looked for. */
  #backOff({ name }: Try, wait: PullWait): StartFailure {
    const backOff = `Back-off pulling image "${name}"`;
    const note: EventNote = { type: 'Normal', reason: 'BackOff', message: backOff };
    const nextLook = this.#parts.clock.now() + LOOK_FOR_IMAGE_MS;
    return new StartFailure('ImagePullBackOff', `${backOff}: ${wait.reason}: ${wait.message}`, {
      retry: { atMs: Math.min(wait.untilMs, nextLook) },
      notes: [note, failedNote('ImagePullBackOff')],
    });
  }
}

function pulledText(name: string, { image, pullMs }: Pulled, tookMs: number): string {
  const how = `in ${shown(pullMs)} (${shown(tookMs)} including waiting). Image size: ${image.sizeBytes} bytes.`;
  return `Successfully pulled image "${name}" ${how}`;
}

/** Whole milliseconds, as Go writes durations. */
const shown = (ms: number): string =>
  goDurationText({ nanos: BigInt(Math.trunc(ms)) * 1_000_000n });

function problemOf(name: string, cause: Error): { reason: PullReason; message: string } {
  if (cause instanceof NoRegistry) return { reason: 'ErrImagePull', message: missingImage(name) };
  if (!(cause instanceof PullError)) return { reason: 'ErrImagePull', message: cause.message };
  const { reason } = cause;
  const detail = cause.message.replace(new RegExp(`^${reason}`), '').replace(/^(?=[^:])/, ': ');
  if (reason === 'RegistryUnavailable')
    return {
      reason,
      message: `image pull failed for ${name} because the registry is unavailable${detail}`,
    };
  if (reason === 'SignatureValidationFailed')
    return {
      reason,
      message: `image pull failed for ${name} because the signature validation failed${detail}`,
    };
  return { reason, message: cause.message };
}

function missingImage(image: string): string {
  return (
    `image "${image}" is not on this node, and no registry is configured to pull it from; ` +
    'load it with `npx pinnace image load FILE`'
  );
}

const notPresent = (name: string): string =>
  `Container image "${name}" is not present with pull policy of Never`;
const notAllowed = (name: string): string =>
  `Container image "${name}" is present with pull policy of Never, but does not have the proper credentials`;

function neverPulled(message: string, nowMs: number): StartFailure {
  const reason = 'ErrImageNeverPull';
  const notes: EventNote[] = [{ type: 'Warning', reason, message }, failedNote(reason)];
  return new StartFailure(reason, message, { retry: { atMs: nowMs + LOOK_FOR_IMAGE_MS }, notes });
}

function invalidName(name: string): StartFailure {
  const reason = 'InvalidImageName';
  const why = `couldn't parse image name "${name}": ${imageNameRefusal(name)}`;
  const message = `Failed to apply default image tag "${name}": ${why}`;
  const notes = [
    { type: 'Warning', reason: 'InspectFailed', message } as const,
    failedNote(reason),
  ];
  return new StartFailure(reason, message, { retry: 'backoff', notes });
}
