// What a body becomes: types checked with the texts clients know, unknown fields named, nothing
// shared.
import { describe, expect, it } from 'vitest';
import { StatusError } from '../status.ts';
import { decodeObject, MAX_DEPTH } from './decode.ts';

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' };
const POD = { group: '', version: 'v1', kind: 'Pod' };

const decodeDeployment = (value: unknown) =>
  decodeObject('io.k8s.api.apps.v1.Deployment', value, { gvk: DEPLOYMENT });
const decodePod = (value: unknown) => decodeObject('io.k8s.api.core.v1.Pod', value, { gvk: POD });

function refusal(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    if (error instanceof StatusError && error.code === 400) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('decodeObject', () => {
  it('copies: the input stays as it was and shares nothing with the output', () => {
    const input = Object.freeze({
      metadata: Object.freeze({ name: 'a', labels: Object.freeze({ app: 'x' }) }),
    });
    const { object } = decodePod(input);
    expect(object).toEqual({ apiVersion: 'v1', kind: 'Pod', metadata: input.metadata });
    expect(object.metadata).not.toBe(input.metadata);
    expect(object.metadata.labels).not.toBe(input.metadata.labels);
  });

  it('makes the object of what it is given, with all that it would drop or turn of a copy', () => {
    const text = JSON.stringify({
      kind: 'Pod',
      metadata: { name: 'a', creationTimestamp: null, labels: { a: null, ['__proto__']: 'x' } },
      spec: {
        foo: 1,
        hostNetwork: false,
        nodeSelector: {},
        containers: [
          { name: 'c', imag: 'x', resources: { limits: { cpu: '0.5', memory: null } } },
          null,
        ],
      },
    });
    const given = JSON.parse(text) as { spec: { containers: unknown[] } };
    const { containers } = given.spec;
    const decoded = decodeObject('io.k8s.api.core.v1.Pod', given, { gvk: POD, given: true });
    expect(decoded).toEqual(decodePod(JSON.parse(text)));
    expect(JSON.stringify(decoded)).toBe(JSON.stringify(decodePod(JSON.parse(text))));
    expect((decoded.object['spec'] as typeof given.spec).containers).toBe(containers);
  });

  it('refuses what it is given where it is nested too deep, in a free field too', () => {
    const deep = (levels: number): unknown => (levels === 0 ? {} : { f: deep(levels - 1) });
    const owned = (levels: number) => ({
      metadata: { managedFields: [{ fieldsV1: deep(levels) }] },
    });
    const gvk = POD;
    const decode = (levels: number, given: boolean) => () =>
      decodeObject('io.k8s.api.core.v1.Pod', owned(levels), { gvk, given });
    for (const given of [true, false]) {
      expect(decode(MAX_DEPTH - 5, given)).not.toThrow();
      expect(refusal(decode(MAX_DEPTH - 4, given))).toMatch(/exceeded max depth/);
    }
  });

  it('drops nulls and undefined fields', () => {
    const { object, unknownFields } = decodePod({
      metadata: { name: 'a', creationTimestamp: null },
      spec: { nodeName: undefined, containers: [] },
      later: undefined,
    });
    expect(object).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a' },
      spec: { containers: [] },
    });
    expect(unknownFields).toEqual([]);
  });

  it('drops unknown fields and names them with their indices', () => {
    const { object, unknownFields } = decodePod({
      metadata: { name: 'a' },
      spec: { containers: [{ name: 'c', imag: 'x' }], foo: { bar: 1 } },
    });
    expect(unknownFields).toEqual(['spec.containers[0].imag', 'spec.foo']);
    expect(object['spec']).toEqual({ containers: [{ name: 'c' }] });
  });

  it('says which field has which wrong type', () => {
    expect(refusal(() => decodeDeployment({ spec: { replicas: 'three' } }))).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string ' +
        'into Go struct field DeploymentSpec.spec.replicas of type int32',
    );
    expect(refusal(() => decodeDeployment({ spec: { replicas: 1.5 } }))).toContain(
      'cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    );
    expect(refusal(() => decodePod({ spec: { containers: [{ image: 3 }] } }))).toContain(
      'cannot unmarshal number into Go struct field Container.spec.containers.image of type string',
    );
    expect(refusal(() => decodePod({ spec: { containers: {} } }))).toContain(
      'cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    );
    expect(refusal(() => decodePod({ metadata: { labels: { a: 1 } } }))).toContain(
      'cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    );
    expect(refusal(() => decodePod('text'))).toContain(
      'cannot unmarshal string into Go value of type v1.Pod',
    );
  });

  it('refuses whole numbers beyond their size', () => {
    expect(refusal(() => decodeDeployment({ spec: { replicas: 2 ** 31 } }))).toContain(
      'cannot unmarshal number 2147483648 into',
    );
  });

  it('takes a number or a text where either is allowed, and nothing else', () => {
    const withPort = (targetPort: unknown) =>
      decodeObject(
        'io.k8s.api.core.v1.Service',
        { spec: { ports: [{ port: 80, targetPort }] } },
        { gvk: { group: '', version: 'v1', kind: 'Service' } },
      ).object['spec'];
    expect(withPort('http')).toEqual({ ports: [{ port: 80, targetPort: 'http' }] });
    expect(withPort(8080)).toEqual({ ports: [{ port: 80, targetPort: 8080 }] });
    expect(refusal(() => withPort(true))).toContain('cannot unmarshal bool into Go value');
  });

  it('checks quantities and writes them in their canonical form', () => {
    const withCpu = (cpu: unknown) =>
      decodePod({ spec: { containers: [{ name: 'c', resources: { limits: { cpu } } }] } }).object[
        'spec'
      ];
    const withLimit = (cpu: string) => ({
      containers: [{ name: 'c', resources: { limits: { cpu } } }],
    });
    expect(withCpu(2)).toEqual(withLimit('2'));
    expect(withCpu(0.5)).toEqual(withLimit('500m'));
    expect(withCpu('1000m')).toEqual(withLimit('1'));
    expect(withCpu('2048Mi')).toEqual(withLimit('2Gi'));
    expect(refusal(() => withCpu('2 cores'))).toContain('quantities must match');
    expect(refusal(() => withCpu(true))).toContain('quantities must match');
  });

  it('checks base64 data', () => {
    const secret = (data: unknown) =>
      decodeObject(
        'io.k8s.api.core.v1.Secret',
        { data },
        { gvk: { group: '', version: 'v1', kind: 'Secret' } },
      ).object['data'];
    expect(secret({ a: 'aGk=' })).toEqual({ a: 'aGk=' });
    expect(refusal(() => secret({ a: 'aG!=' }))).toContain('illegal base64 data at input byte 2');
  });

  it('writes times in UTC with the precision of their kind', () => {
    const { object } = decodeObject(
      'io.k8s.api.coordination.v1.Lease',
      {
        metadata: { creationTimestamp: '2026-01-01T02:00:00.5+02:00' },
        spec: { renewTime: '2026-01-01T00:00:00.1234567Z' },
      },
      { gvk: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' } },
    );
    expect(object.metadata.creationTimestamp).toBe('2026-01-01T00:00:00Z');
    expect(object['spec']).toEqual({ renewTime: '2026-01-01T00:00:00.123456Z' });
    expect(refusal(() => decodePod({ metadata: { creationTimestamp: 'today' } }))).toContain(
      'parsing time "today"',
    );
  });

  it('refuses another kind and another version', () => {
    expect(refusal(() => decodePod({ kind: 'Deployment' }))).toContain(
      'Deployment in version "v1" cannot be handled as a Pod',
    );
    expect(refusal(() => decodeDeployment({ apiVersion: 'v1' }))).toBe(
      'the API version in the data (v1) does not match the expected API version (apps/v1)',
    );
  });

  it('keeps __proto__ an ordinary label key', () => {
    const labels = JSON.parse('{"__proto__": "x"}') as unknown;
    const { object } = decodePod({ metadata: { labels } });
    expect(Object.keys(object.metadata.labels ?? {})).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(object.metadata.labels)).toBe(Object.prototype);
  });

  it('refuses nesting without end', () => {
    let fieldsV1: Record<string, unknown> = {};
    for (let depth = 0; depth < MAX_DEPTH; depth += 1) fieldsV1 = { f: fieldsV1 };
    expect(refusal(() => decodePod({ metadata: { managedFields: [{ fieldsV1 }] } }))).toContain(
      'exceeded max depth',
    );
  });
});
