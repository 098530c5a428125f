// Runs the API server of this folder in a pod: certificate and key of its Service's name, and the front proxy's authority as the
// ConfigMap kube-system/extension-apiserver-authentication tells it, mounted as files.
// `main.ts FOLDER`, with tls.crt, tls.key and requestheader-client-ca-file in it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKitchen } from './server.ts';

/** Where it listens; the Service leads here. */
const PORT = 8443;

const folder = process.argv[2] ?? '/certificates';
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const server = createKitchen({
  cert: read('tls.crt'),
  key: read('tls.key'),
  frontProxyCa: read('requestheader-client-ca-file'),
  frontProxyNames: ['front-proxy-client'],
});
server.listen(PORT, () => process.stdout.write(`listening on ${PORT}\n`));
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
