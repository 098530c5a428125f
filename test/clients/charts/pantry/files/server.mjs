// The pantry's program: webhooks about jars, and an API whose shelves say who looked at them.
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import { json } from 'node:stream/consumers';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const GROUP = 'pantry.example.com';

/** A ConfigMap's data, by the cluster's API. */
function configMap(path) {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  const headers = { authorization: `Bearer ${readFileSync(`${ACCOUNT}/token`, 'utf8')}` };
  const ca = readFileSync(`${ACCOUNT}/ca.crt`);
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, headers, ca }, (answer) => {
      if (answer.statusCode === 200) json(answer).then(({ data }) => resolve(data), reject);
      else reject(new Error(`${path}: ${answer.statusCode}`));
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Adds a label, as the review's answer has it. */
function label({ object }) {
  const labels = { ...object.metadata.labels, labelled: 'yes' };
  const patch = [{ op: 'add', path: '/metadata/labels', value: labels }];
  return {
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
  };
}

/** Refuses what nobody would keep. */
function taste({ object }) {
  if (object.spec.contents !== 'mould') return { allowed: true, warnings: ['tastes well'] };
  return { allowed: false, status: { message: 'nobody keeps mould', code: 422 } };
}

const REVIEWS = { '/label': label, '/taste': taste };

function shelf(name, user) {
  const apiVersion = `${GROUP}/v1`;
  const annotations = { 'pantry.example.com/seen-by': user };
  return { apiVersion, kind: 'Shelf', metadata: { name, uid: name, annotations } };
}

const NAMES = ['high', 'low'];

/** What a path of the API is; undefined where there is nothing. */
function answerOf(path, user) {
  const version = { groupVersion: `${GROUP}/v1`, version: 'v1' };
  const shelves = NAMES.map((name) => shelf(name, user));
  if (path === `/apis/${GROUP}`)
    return { kind: 'APIGroup', apiVersion: 'v1', name: GROUP, versions: [version], preferredVersion: version };
  if (path === `/apis/${GROUP}/v1`)
    return {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: `${GROUP}/v1`,
      resources: [
        { name: 'shelves', singularName: 'shelf', namespaced: false, kind: 'Shelf', verbs: ['get', 'list'] },
      ],
    };
  if (path === `/apis/${GROUP}/v1/shelves`)
    return { apiVersion: `${GROUP}/v1`, kind: 'ShelfList', metadata: {}, items: shelves };
  return shelves.find(({ metadata }) => path === `/apis/${GROUP}/v1/shelves/${metadata.name}`);
}

const known = await configMap('/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication');
const allowed = JSON.parse(known['requestheader-allowed-names']);

const server = createServer(
  {
    key: readFileSync('/tls/tls.key'),
    cert: readFileSync('/tls/tls.crt'),
    ca: known['requestheader-client-ca-file'],
    requestCert: true,
    rejectUnauthorized: false,
  },
  (message, response) => {
    const say = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const path = message.url.replace(/\?.*/, '');
    if (path === '/healthz') return say(200, {});
    const review = REVIEWS[path];
    if (review) {
      json(message).then(
        ({ apiVersion, kind, request: asked }) =>
          say(200, { apiVersion, kind, response: { uid: asked.uid, ...review(asked) } }),
        () => say(400, {}),
      );
      return;
    }
    // Who comes with another certificate, or with none, may say what it likes about whom it speaks for.
    const name = message.socket.authorized && message.socket.getPeerCertificate().subject?.CN;
    if (!name || (allowed.length > 0 && !allowed.includes(name))) return say(401, {});
    const body = answerOf(path, message.headers['x-remote-user']);
    return body ? say(200, body) : say(404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 });
  },
);
server.listen(8443, () => console.log('listening'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
