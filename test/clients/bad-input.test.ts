// What clients hear when they send what cannot be taken: the Status that Kubernetes gives, and nothing lost.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BODY_LIMIT_BYTES } from '../../apiserver/options.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { documentsOf } from '../support/kubectl.ts';
import { configMap, webDeployment } from './objects.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

const json = { 'content-type': 'application/json' };
const path = '/api/v1/namespaces/default/configmaps';
const post = async (url: string, what: { body?: string; headers?: Record<string, string> }) => {
  const answer = await cluster.request({ url, method: 'POST', headers: json, ...what });
  return { http: answer.status, status: JSON.parse(answer.text) };
};

describe('kubectl', () => {
  it('applies the good documents around a broken one, and fails', async () => {
    const input = `${documentsOf([configMap('first'), { ...configMap('bad'), metadata: { name: 'Not_A_Name' } }, configMap('last')])}`;
    const { code, stdout, stderr } = await cluster.kubectl.run(['apply', '-f', '-'], { input });
    expect(code).toBe(1);
    expect(stdout).toBe('configmap/first created\nconfigmap/last created\n');
    expect(stderr).toMatch(/"Not_A_Name" is invalid: metadata.name: Invalid value/);
  });

  it('is told of a kind that is not served', async () => {
    const input = documentsOf([{ ...configMap('a'), kind: 'Nothing' }, configMap('beside')]);
    const { code, stdout, stderr } = await cluster.kubectl.run(['apply', '-f', '-'], { input });
    expect(code).toBe(1);
    expect(stdout).toContain('configmap/beside created');
    expect(stderr).toContain('no matches for kind "Nothing" in version "v1"');
  });

  it('is told of an unknown field, and of a field of a wrong type', async () => {
    const unknown = { ...configMap('a'), dat: {} };
    const told = (what: object) =>
      cluster.kubectl.run(['apply', '-f', '-'], { input: documentsOf(what) });
    expect((await told(unknown)).stderr).toMatch(/unknown field "dat"/);
    const deployment = webDeployment('typed', 1);
    const typed = { ...deployment, spec: { ...deployment.spec, replicas: 'many' } };
    const { code, stderr } = await told(typed);
    expect(code).toBe(1);
    expect(stderr).toMatch(/replicas/);
  });

  it('applies the files beside one that is no YAML', async () => {
    const input = `${documentsOf(configMap('good'))}\n---\na: [1\n---\n${documentsOf(configMap('after'))}`;
    const { code, stderr } = await cluster.kubectl.run(['apply', '-f', '-'], { input });
    expect(code).toBe(1);
    expect(stderr).toMatch(/error (parsing|converting YAML)/);
    expect(await cluster.kubectl.ok(['get', 'cm', 'good', '-o', 'name'])).toBe('configmap/good\n');
  });

  it.each([
    ['get --raw /nope', /^Error from server \(NotFound\): the server could not find the requested/],
    ['get --raw /api/v1/nope', /^Error from server \(NotFound\): the server could not find the/],
    ['get --raw /apis/none.dev/v1', /^Error from server \(NotFound\): the server could not find/],
    ['get nosuch', /^error: the server doesn't have a resource type "nosuch"/],
    ['scale configmap/looked-at --replicas=2', /could not find the requested resource/],
    ['get configmap looked-at --subresource=status', /could not find the requested resource/],
    ['certificate approve none', /certificatesigningrequests.certificates.k8s.io "none" not found/],
    ['delete --raw /api/v1/namespaces', /server does not allow this method on the requested/],
  ])('asks for what is not there: %s', async (command, said) => {
    await cluster.kubectl.apply(configMap('looked-at'));
    const { code, stdout, stderr } = await cluster.kubectl.run(command.split(' '));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(said);
  });

  it('debugs a pod that is there, or none, and never falls over the answer', async () => {
    const looksAt = { name: 'looked-at', image: 'app:1' };
    await cluster.kubectl.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'debugged' },
      spec: { containers: [looksAt] },
    });
    const debug = (pod: string) => cluster.kubectl.run(['debug', pod, '--image=app:1']);
    expect((await debug('none')).stderr).toContain('(NotFound): pods "none" not found\n');
    const { stderr } = await debug('debugged');
    expect(stderr).not.toContain('panic');
  });
});

describe('HTTPS', () => {
  it('names each invalid field in details.causes', async () => {
    const body = JSON.stringify(webDeployment('Bad Name', -1));
    const { http, status } = await post('/apis/apps/v1/namespaces/default/deployments', { body });
    expect(http).toBe(422);
    expect(status).toMatchObject({
      kind: 'Status',
      code: 422,
      reason: 'Invalid',
      details: { name: 'Bad Name', group: 'apps', kind: 'Deployment' },
    });
    const fields = status.details.causes.map((cause: { field: string }) => cause.field);
    expect(fields).toEqual(expect.arrayContaining(['metadata.name', 'spec.replicas']));
  });

  it('refuses a body over the limit', async () => {
    const answer = await cluster.request({
      url: path,
      method: 'POST',
      headers: json,
      announcedBytes: BODY_LIMIT_BYTES + 1,
    });
    expect({ http: answer.status, error: answer.error }).toEqual({ http: 413 });
    expect(JSON.parse(answer.text).reason).toBe('RequestEntityTooLarge');
  });

  it('refuses a content type that is none', async () => {
    const headers = { 'content-type': 'text/csv' };
    const { http, status } = await post(path, { body: 'a', headers });
    expect({ http, reason: status.reason }).toEqual({
      http: 415,
      reason: 'UnsupportedMediaType',
    });
  });

  it('refuses half a document', async () => {
    const { http, status } = await post(path, { body: '{"kind": "ConfigMap"' });
    expect({ http, reason: status.reason }).toEqual({ http: 400, reason: 'BadRequest' });
  });

  it('stays up after a connection cut within a body', async () => {
    const headers = { ...json, 'content-length': '1000' };
    const body = '{"apiVersion": "v1"';
    const cut = await cluster.request({ url: path, method: 'POST', headers, body, cut: true });
    expect(cut.error).toBe('CUT');
    const before = cluster.pidOf('control-plane');
    expect(await cluster.kubectl.ok(['get', '--raw', '/readyz'])).toBe('ok');
    expect(cluster.pidOf('control-plane')).toBe(before);
  });
});
