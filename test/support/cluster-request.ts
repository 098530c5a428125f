// Sends one request from inside a cluster's namespace: a program of its own, since a process cannot change namespaces.
// Reads a request as JSON from standard input, writes the answer as JSON. Invariant: always answers, if only with an error code.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';

/** What to send. */
export interface ClusterRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Announces a body of so many bytes instead, and sends none of it before the answer. */
  readonly announcedBytes?: number;
  /** Ends the connection once the body is written. */
  readonly cut?: boolean;
  readonly tls?: { readonly cert?: string; readonly key?: string; readonly ca: string };
  readonly timeoutMs?: number;
}

/** What came back: an answer, or the error code of the connection. */
export interface ClusterAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly error?: string;
}

function send(asked: ClusterRequest): Promise<ClusterAnswer> {
  const make = asked.url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const answer = (what: Partial<ClusterAnswer>) =>
      resolve({ status: 0, headers: {}, text: '', ...what });
    const call = make(asked.url, {
      method: asked.method ?? 'GET',
      headers:
        asked.announcedBytes === undefined
          ? (asked.headers ?? {})
          : { ...asked.headers, 'content-length': String(asked.announcedBytes) },
      agent: false,
      timeout: asked.timeoutMs ?? 20_000,
      ...asked.tls,
    });
    call.on('timeout', () => call.destroy(Object.assign(new Error('late'), { code: 'ETIMEDOUT' })));
    call.on('error', (error: NodeJS.ErrnoException) =>
      answer({ error: error.code ?? error.message }),
    );
    call.on('response', (response) => {
      void text(response).then(
        (body) =>
          answer({ status: response.statusCode ?? 0, headers: response.headers, text: body }),
        (error: Error) => answer({ status: response.statusCode ?? 0, error: error.message }),
      );
    });
    if (asked.announcedBytes !== undefined) call.flushHeaders();
    else if (!asked.cut) call.end(asked.body);
    else
      call.write(asked.body ?? '', () => call.destroy(Object.assign(new Error(), { code: 'CUT' })));
  });
}

if (import.meta.main)
  process.stdout.write(
    JSON.stringify(await send(JSON.parse(await text(process.stdin)) as ClusterRequest)),
  );
