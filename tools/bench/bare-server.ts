// The calibration's server: bare node:https that answers as many bytes as ours, and does nothing else. Forked by the bench.
// Invariant: TLS with client certificates as ours has it; the path `/SIZE` says how long the answer is to be. Who gets `/watch` is sent
// what others post there.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** Its certificate, and who signs its clients'; PEM. */
export interface BareTls {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

process.once('message', (tls: BareTls) => {
  const bodies = new Map<string, Buffer>();
  const bodyFor = (path: string) => {
    const known = bodies.get(path) ?? Buffer.alloc(Number(path.slice(1)), '{');
    bodies.set(path, known);
    return known;
  };
  const watchers = new Set<ServerResponse>();
  const watch = (response: ServerResponse) => {
    watchers.add(response);
    response.once('close', () => watchers.delete(response));
    response.writeHead(200);
    response.flushHeaders();
  };
  const publish = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const event = Buffer.concat(chunks);
      for (const watcher of watchers) watcher.write(event);
      response.writeHead(201, { 'content-length': 0 });
      response.end();
    });
  };
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false });
  server.on('request', (request, response) => {
    if (request.url === '/watch')
      return request.method === 'GET' ? watch(response) : publish(request, response);
    const body = bodyFor(request.url ?? '/0');
    request.resume();
    return request.on('end', () => {
      response.writeHead(request.method === 'POST' ? 201 : 200, {
        'content-type': 'application/json',
        'content-length': body.length,
      });
      response.end(body);
    });
  });
  server.listen(0, '127.0.0.1', () =>
    process.send?.({ port: (server.address() as AddressInfo).port }),
  );
});
process.on('disconnect', () => process.exit(0));
