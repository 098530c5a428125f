// The lines of a watch. Each event is framed once per kind of line, whoever watches, and its object is the one that
// every reader in the process shares. Frames of large objects go once all who watch have them: events are kept much longer.
import type { LooseObject } from '../../api/meta/object.ts';
import type { StatusError } from '../../api/status.ts';
import type { WatchEventObject, WatchFrame } from '../../api/wire/exchange.ts';
import { withRevision } from '../storage/revision-gap.ts';
import { deepFreeze, MAX_KEPT_BYTES, parseFrozen, type StoreEvent } from './visible-object.ts';

/** Types of lines about an object. */
export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** The annotation on the bookmark that ends the initial events (Kubernetes API concepts, "Streaming lists"). */
export const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** What a bookmark says. */
export interface Bookmark {
  readonly apiVersion: string;
  readonly kind: string;
  readonly revision: bigint;
  /** Marks the end of the initial events. */
  readonly initialEventsEnd?: boolean;
}

const HEADS: Readonly<Record<WatchEventObject['type'], Buffer>> = {
  ADDED: head('ADDED'),
  MODIFIED: head('MODIFIED'),
  DELETED: head('DELETED'),
  BOOKMARK: head('BOOKMARK'),
  ERROR: head('ERROR'),
};
const CLOSE_BRACE = 0x7d;
const NEWLINE = 0x0a;

type Frames = Map<ChangeType | 'LEFT', WatchFrame | WeakRef<WatchFrame>>;
const framesOf = new WeakMap<StoreEvent, Frames>();

/** The line of an event, built once and shared. */
export function frameFor(event: StoreEvent, type: ChangeType): WatchFrame {
  return cached(event, type, () => frameOf(type, event.value));
}

/** The line for an object that changed so that the watcher no longer selects it: its last selected state, with the change's revision. */
export function frameForLeft(event: StoreEvent): WatchFrame {
  const { previous, revision } = event;
  if (!previous) return frameFor(event, 'DELETED');
  return cached(event, 'LEFT', () => {
    const bytes = withRevision(previous, revision);
    return frameOf('DELETED', { bytes, object: () => parseFrozen(bytes) });
  });
}

/** A line about an object, not shared. */
export function frameOf(
  type: WatchEventObject['type'],
  about: { readonly bytes: Uint8Array; object(): LooseObject },
): WatchFrame {
  let event: WatchEventObject | undefined;
  return {
    bytes: line(type, about.bytes),
    event: () => (event ??= Object.freeze({ type, object: about.object() })),
  };
}

/** A line that tells how far the watch has come. */
export function bookmarkFrame(bookmark: Bookmark): WatchFrame {
  const { apiVersion, kind, revision, initialEventsEnd } = bookmark;
  const annotations = initialEventsEnd ? { annotations: { [INITIAL_EVENTS_END]: 'true' } } : {};
  const metadata = { resourceVersion: String(revision), ...annotations };
  return frameOfValue('BOOKMARK', { kind, apiVersion, metadata });
}

/** The line that ends a watch with a failure. */
export function errorFrame(error: StatusError): WatchFrame {
  return frameOfValue('ERROR', error.toStatus());
}

function frameOfValue(type: 'BOOKMARK' | 'ERROR', value: object): WatchFrame {
  const object = deepFreeze(value) as LooseObject;
  return frameOf(type, { bytes: Buffer.from(JSON.stringify(object)), object: () => object });
}

function cached(event: StoreEvent, type: ChangeType | 'LEFT', make: () => WatchFrame): WatchFrame {
  let frames = framesOf.get(event);
  if (!frames) framesOf.set(event, (frames = new Map()));
  const known = frames.get(type);
  const held = known instanceof WeakRef ? known.deref() : known;
  if (held) return held;
  const frame = make();
  frames.set(type, event.value.bytes.length > MAX_KEPT_BYTES ? new WeakRef(frame) : frame);
  return frame;
}

function head(type: string): Buffer {
  return Buffer.from(`{"type":"${type}","object":`);
}

function line(type: WatchEventObject['type'], object: Uint8Array): Uint8Array {
  const start = HEADS[type];
  const bytes = Buffer.allocUnsafe(start.length + object.length + 2);
  bytes.set(start, 0);
  bytes.set(object, start.length);
  bytes[bytes.length - 2] = CLOSE_BRACE;
  bytes[bytes.length - 1] = NEWLINE;
  return bytes;
}
