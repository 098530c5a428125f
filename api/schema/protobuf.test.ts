// Bodies that kubectl's typed commands send: read to the same value that JSON would give, or
// refused whole.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { StatusError } from '../status.ts';
import { decodeObject } from './decode.ts';
import { readProtobuf } from './protobuf.ts';

/**
 * As kubectl 1.35 sent it for `autoscale deployment web --min 1 --max 3 --cpu=50% --memory=100Mi`.
 */
const AUTOSCALE =
  'azhzAAopCg5hdXRvc2NhbGluZy92MhIXSG9yaXpvbnRhbFBvZEF1dG9zY2FsZXISkAEKEwoDd2ViEgAaACIAKgAyADgAQgAScwoa' +
  'CgpEZXBsb3ltZW50EgN3ZWIaB2FwcHMvdjEQARgDIiIKCFJlc291cmNlIhYKA2NwdRIPCgtVdGlsaXphdGlvbiAyIi0KCFJlc291' +
  'cmNlIiEKBm1lbW9yeRIXCgxBdmVyYWdlVmFsdWUaBwoFMTAwTWkaBBgAIAAaACIA';

const bytes = (...parts: (number | string | Uint8Array)[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part))),
  );
const varint = (value: number): Buffer =>
  value < 128 ? Buffer.of(value) : bytes((value % 128) + 128, varint(Math.floor(value / 128)));
/** A length-delimited field. */
const field = (number: number, value: string | Uint8Array) => {
  const content = Buffer.from(value);
  return bytes(varint(number * 8 + 2), varint(content.length), content);
};
const CRD = 'CustomResourceDefinition';
const envelope = (apiVersion: string, kind: string, raw: Uint8Array) =>
  bytes('k8s\0', field(1, bytes(field(1, apiVersion), field(2, kind))), field(2, raw));

function codeOf(run: () => unknown): number {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error.code;
    throw error;
  }
  return 200;
}

describe('readProtobuf', () => {
  it('reads what kubectl autoscale sends', () => {
    const value = readProtobuf(Buffer.from(AUTOSCALE, 'base64'));
    const gvk = { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' };
    const name = 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler';
    expect(decodeObject(name, value, { gvk }).object).toEqual({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
          },
          {
            type: 'Resource',
            resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '100Mi' } },
          },
        ],
      },
      status: { desiredReplicas: 0 },
    });
  });

  it('reads past a message that JSON leaves out, set or not, and refuses more in it', () => {
    const ingress = (rule: Uint8Array) =>
      envelope('networking.k8s.io/v1', 'Ingress', field(2, field(3, rule)));
    const http = field(1, field(1, field(1, '/a')));
    const full = readProtobuf(ingress(bytes(field(1, 'a.io'), field(2, http))));
    expect(full['spec']).toEqual({ rules: [{ host: 'a.io', http: { paths: [{ path: '/a' }] } }] });
    const unset = readProtobuf(ingress(bytes(field(1, 'a.io'), field(2, ''))));
    expect(unset['spec']).toEqual({ rules: [{ host: 'a.io' }] });
    const more = ingress(field(2, bytes(http, field(2, 'x'))));
    expect(codeOf(() => readProtobuf(more))).toBe(415);
  });

  it('reads maps, bytes, lists, int-or-string, times and unset values', () => {
    const meta = bytes(
      field(1, 's'),
      field(3, ''),
      field(11, bytes(field(1, '__proto__'), field(2, ''))),
      field(14, 'f1'),
      field(14, 'f2'),
      field(9, bytes(0x8, 0x80, 0xf2, 0xd6, 0xca, 0x6)),
    );
    const data = field(2, bytes(field(1, 'k'), field(2, Uint8Array.of(0, 255))));
    const secret = readProtobuf(envelope('v1', 'Secret', bytes(field(1, meta), data)));
    expect(secret).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 's',
        labels: JSON.parse('{"__proto__": ""}') as unknown,
        finalizers: ['f1', 'f2'],
        deletionTimestamp: '2026-01-01T00:00:00.000000Z',
      },
      data: { k: 'AP8=' },
    });
    const ports = [field(4, bytes(8, 1, 16, 0, field(3, 'http'))), field(4, bytes(8, 0, 16, 80))];
    const spec = bytes(...ports.map((port) => field(1, port)));
    expect(readProtobuf(envelope('v1', 'Service', field(2, spec)))['spec']).toEqual({
      ports: [{ targetPort: 'http' }, { targetPort: 80 }],
    });
  });

  it('keeps a zero that means something, and drops one that does not', () => {
    const spec = bytes(8, 0, 5 * 8, 0);
    expect(readProtobuf(envelope('apps/v1', 'Deployment', field(2, spec)))['spec']).toEqual({
      replicas: 0,
    });
  });

  it('takes DeleteOptions of any group', () => {
    expect(readProtobuf(envelope('apps/v1', 'DeleteOptions', bytes(8, 0)))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
    });
  });

  it('refuses with 415 what it does not know, rather than drop it', () => {
    expect(codeOf(() => readProtobuf(envelope('v1', 'Unknown', Buffer.of())))).toBe(415);
    expect(codeOf(() => readProtobuf(envelope('v1', 'Secret', field(15, 'x'))))).toBe(415);
    const part = (number: number, of: Uint8Array) => {
      const version = field(7, field(4, field(1, field(number, of))));
      return codeOf(() =>
        readProtobuf(envelope('apiextensions.k8s.io/v1', CRD, field(2, version))),
      );
    };
    const [items, additional] = [24, 30];
    expect(part(items, field(1, field(5, 'string')))).toBe(200);
    expect(part(items, field(3, 'x'))).toBe(415);
    expect(part(additional, bytes(8, 1))).toBe(200);
    expect(part(additional, bytes(24, 1))).toBe(415);
    // A schema within a schema, as deep as may be, and deeper.
    const nested = (depth: number): Uint8Array =>
      depth === 0 ? field(5, 'object') : field(28, nested(depth - 1));
    expect(part(28, nested(20))).toBe(200);
    expect(part(28, nested(1000))).toBe(400);
  });

  it('answers anything else with a Status, never a crash', () => {
    const real = Buffer.from(AUTOSCALE, 'base64');
    fc.assert(
      fc.property(fc.nat(real.length - 1), fc.nat(255), fc.nat(real.length), (at, byte, end) => {
        const broken = Uint8Array.from(real);
        broken[at] = byte;
        expect([200, 400, 415]).toContain(codeOf(() => readProtobuf(broken.subarray(0, end))));
      }),
      { numRuns: 500 },
    );
  });
});
