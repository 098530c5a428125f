// A true transport with somebody in the way who sees each call and each event: loses answers, delays them, changes objects.
// Invariant: what an interception does not name passes through unchanged.
import type { LooseObject } from '../../api/meta/object.ts';
import type {
  Transport,
  TransportReply,
  TransportRequest,
} from '../../client/transport/transport.ts';

/** What is done to what passes. */
export interface Interception {
  /** In the place of a call; `send` makes it. */
  readonly request?: (
    request: TransportRequest,
    send: (request?: TransportRequest) => Promise<TransportReply>,
  ) => Promise<TransportReply>;
  /** What becomes of an object that a watch shows; undefined where its event is lost. */
  readonly seen?: (object: LooseObject) => LooseObject | undefined;
}

/** The transport with the interception in its way. */
export function intercepted(inner: Transport, { request, seen }: Interception): Transport {
  return {
    request: (original) => {
      const send = (sent = original) => inner.request(sent);
      return request ? request(original, send) : send();
    },
    async *watch(call) {
      for await (const batch of inner.watch(call)) {
        const events = batch.flatMap((event) => {
          const object = seen ? seen(event.object) : event.object;
          return object ? [{ ...event, object }] : [];
        });
        if (events.length > 0) yield events;
      }
    },
    stream: (call) => inner.stream(call),
    close: () => inner.close(),
  };
}
