// Figures of a client's requests, under upstream's names.
// Invariant: a request costs a look-up, two looks at the clock and a few additions; what is answered is untouched.
import { StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Figures } from '../../base/figures.ts';
import type { Transport, TransportRequest } from './transport.ts';

/** Upper bounds, seconds; upstream's. */
const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
/** Upstream's word for a request that was not answered. */
const UNANSWERED = '<error>';

/** The families of one program, for all of its transports. */
export class ClientFigures {
  readonly #requests;
  readonly #durations;

  constructor(figures: Pick<Figures, 'counter' | 'histogram'>) {
    this.#requests = figures.counter({
      name: 'rest_client_requests_total',
      help: 'Requests of clients in this process, by code, method and host.',
      labels: ['code', 'method', 'host'],
    });
    this.#durations = figures.histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'Time of requests of clients in this process, pauses before they are made again included.',
      labels: ['verb', 'host'],
      buckets: SECONDS,
    });
  }

  /** The same transport, counted. `host`: which server it leads to. Watches and streams are counted once they end. */
  counted(transport: Transport, host: string, clock: Clock): Transport {
    const note = (request: TransportRequest, code: string) =>
      this.#requests.of(code, request.method, host).add();
    const upgrade = transport.upgrade?.bind(transport);
    return {
      request: async (request) => {
        const startedAt = clock.monotonic();
        try {
          const reply = await transport.request(request);
          note(request, String(reply.status));
          return reply;
        } catch (error) {
          note(request, codeOf(error));
          throw error;
        } finally {
          const seconds = (clock.monotonic() - startedAt) / 1000;
          this.#durations.of(request.method, host).observe(seconds);
        }
      },
      watch: (request) => ended(transport.watch(request), (code) => note(request, code)),
      stream: async (request) => {
        try {
          const stream = await transport.stream(request);
          note(request, '200');
          return stream;
        } catch (error) {
          note(request, codeOf(error));
          throw error;
        }
      },
      ...(upgrade && {
        upgrade,
      }),
      close: () => transport.close(),
    };
  }
}

const codeOf = (error: unknown): string =>
  error instanceof StatusError ? String(error.code) : UNANSWERED;

/** The same batches; `note` is told once how it ended: well, where whoever watches had enough. */
async function* ended<T>(items: AsyncIterable<T>, note: (code: string) => void): AsyncGenerator<T> {
  let code = '200';
  try {
    yield* items;
  } catch (error) {
    code = codeOf(error);
    throw error;
  } finally {
    note(code);
  }
}
