// Requests that nobody in their right mind sends: objects drawn from the schemas, bent and broken, and paths and queries like them.
// Invariant: what is drawn follows from the seed alone.
import { seededRandom } from '../../base/random.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import { refName, type Schema, schemaOf } from '../../api/schema/schema.ts';
import { Scheme } from '../../api/scheme.ts';
import { configMap, shellPod, webDeployment, webService } from '../clients/objects.ts';

/** A request to send. */
export interface FuzzedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const STRINGS = [
  '',
  'a',
  'b',
  'web',
  'default',
  'A_b',
  'x'.repeat(300),
  'ü',
  '\u0000',
  '__proto__',
  'constructor',
  '*',
  '1',
  'Always',
  'Never',
  'OnFailure',
  'TCP',
  'UDP',
  'ClusterIP',
  'NodePort',
  'LoadBalancer',
  'ExternalName',
  'None',
  '10.96.0.7',
  'fe80::1',
  'IPv4',
  'RollingUpdate',
  'Recreate',
  'OnDelete',
  'In',
  'Exists',
  'DoesNotExist',
  'Equal',
  'NoSchedule',
  'NoExecute',
  'Resource',
  'cpu',
  'memory',
  'Utilization',
  'http',
  '/path',
  '../x',
  'app=web',
  '100%',
  'v1',
  'apps/v1',
  'Pod',
  'Deployment',
  'ReplicaSet',
  'kubernetes.io/hostname',
  '* * * * *',
  'Delete',
  'Retain',
];
const NUMBERS = [
  0,
  1,
  -1,
  3,
  80,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  1.5,
  1e300,
];
const ODDITIES = [
  null,
  true,
  false,
  0,
  -1,
  '',
  'x',
  [],
  {},
  [null],
  [[]],
  { a: null },
  { '': {} },
  [{}],
];
const LEAVES: Readonly<Record<string, readonly unknown[]>> = {
  Quantity: ['1', '100m', '1Gi', '-1', '', 'abc', 0, 1.5, '1e100', '9999999999999999999Ei'],
  IntOrString: [80, 'http', '50%', '-1%', 0, -1, '', '101%', 70_000],
  Time: ['2026-01-01T00:00:00Z', 'x', '', '9999-12-31T23:59:59Z'],
  MicroTime: ['2026-01-01T00:00:00.000001Z', 'x'],
};
const QUERY: Readonly<Record<string, readonly string[]>> = {
  limit: ['1', '0', '-1', 'x', '99999999999999999999'],
  continue: ['', 'x', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ', '%00'],
  resourceVersion: ['0', '1', '-1', 'x', '1e3'],
  resourceVersionMatch: ['Exact', 'NotOlderThan', 'x', ''],
  labelSelector: [
    'app=web',
    'app in (a,b)',
    '!app',
    'app notin',
    ',',
    '=',
    'a=b,'.repeat(500),
    '(((',
  ],
  fieldSelector: ['metadata.name=a', 'spec.nodeName=', 'nope=1', 'metadata.name!=a', '=,=', ','],
  watch: ['false', '0'],
  dryRun: ['All', 'x', ''],
  fieldManager: ['me', '', 'x'.repeat(200), '\n'],
  fieldValidation: ['Strict', 'Warn', 'Ignore', 'x'],
  force: ['true', 'x'],
  propagationPolicy: ['Background', 'Foreground', 'Orphan', 'x'],
  gracePeriodSeconds: ['0', '-5', 'x', '30'],
  timeoutSeconds: ['1', '-1', 'x'],
  orphanDependents: ['true', 'x'],
  pretty: ['true', ''],
  includeObject: ['None', 'Object', 'x'],
  container: ['a'],
  __proto__: ['x'],
};
const ACCEPTS = [
  'application/json',
  'application/yaml',
  '*/*',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/vnd.kubernetes.protobuf',
  'text/html',
  ';;;',
];
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const OTHER_TYPES = ['application/json', 'application/yaml', 'text/plain', 'application/x', ';'];
/** Fields that make pods: thousands of them would be made, as asked, and nothing else would be tried. */
const SIZES = new Set(['replicas', 'minReplicas', 'maxReplicas', 'parallelism', 'completions']);
const SMALL = [0, 1, 3, 7, -1, 1.5, 'x', null];
/** How deep objects are drawn. */
const MAX_DEPTH = 9;
/** Accepted objects that are kept to be bent later, for each kind. */
const MAX_KEPT = 20;

const autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web' },
  spec: {
    maxReplicas: 3,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
      },
    ],
  },
};
const STARTERS: readonly object[] = [
  webDeployment('web', 1),
  webService('web'),
  configMap('a'),
  shellPod('a', 'true'),
  autoscaler,
];

/** Draws requests and objects from one seed. */
export class Fuzzer {
  readonly #random;
  readonly #definitions = new Scheme().definitions;
  /** Objects that a server has taken, by `apiVersion/kind`. */
  readonly #taken = new Map<string, object[]>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    for (const object of STARTERS) this.took(object);
  }

  /** Lets the fuzzer know of an object that was accepted, so that it can be bent rather than drawn anew. */
  took(object: object): void {
    const { apiVersion, kind } = object as { apiVersion?: string; kind?: string };
    const known = this.#taken.get(`${apiVersion}/${kind}`) ?? [];
    known.push(object);
    this.#taken.set(`${apiVersion}/${kind}`, known.slice(-MAX_KEPT));
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }

  #pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random.next() * values.length)] as T;
  }

  /** A kind, stored or shown. */
  definition(): ResourceDefinition {
    return this.#pick(this.#definitions);
  }

  /** An object of the kind: drawn from its schema, or an accepted one with one part changed. */
  object(definition: ResourceDefinition): Record<string, unknown> {
    const { group, version, kind } = definition.ref;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    const known = this.#taken.get(`${apiVersion}/${kind}`) ?? [];
    const schema = schemaOf(definition.schemaName);
    const drawn =
      known.length > 0 && this.#chance(0.7)
        ? this.#bent(this.#pick(known), schema)
        : this.#value(schema, 0);
    const object = isRecord(drawn) ? drawn : {};
    const metadata = isRecord(object['metadata']) ? object['metadata'] : {};
    for (const field of ['uid', 'resourceVersion', 'managedFields', 'deletionTimestamp'])
      if (this.#chance(0.9)) delete metadata[field];
    const name = this.#chance(0.9) ? this.#pick(['a', 'b', 'web']) : metadata['name'];
    return {
      ...object,
      ...(this.#chance(0.97) ? { apiVersion, kind } : {}),
      metadata: this.#chance(0.98) ? { ...metadata, name } : this.#pick(ODDITIES),
    };
  }

  #field(name: string, schema: Schema, depth: number): unknown {
    return SIZES.has(name) ? this.#pick(SMALL) : this.#value(schema, depth);
  }

  #value(schema: Schema, depth: number): unknown {
    if (this.#chance(0.03)) return this.#pick(ODDITIES);
    const name = refName(schema);
    if (name !== undefined) {
      const leaf = LEAVES[name.split('.').at(-1) ?? ''];
      return leaf ? this.#pick(leaf) : this.#value(schemaOf(name), depth);
    }
    if (schema.properties) return this.#struct(schema, depth);
    switch (schema.type) {
      case 'array':
        return Array.from({ length: this.#pick([0, 1, 1, 2, 3]) }, () =>
          depth > MAX_DEPTH || !schema.items ? null : this.#value(schema.items, depth + 1),
        );
      case 'object': {
        const values = schema.additionalProperties ?? { type: 'string' };
        const keys = Array.from({ length: this.#pick([0, 1, 2]) }, () => this.#pick(STRINGS));
        return Object.fromEntries(keys.map((key) => [key, this.#value(values, depth + 1)]));
      }
      case 'boolean':
        return this.#chance(0.5);
      case 'integer':
      case 'number':
        return this.#pick(NUMBERS);
      default:
        return this.#pick(STRINGS);
    }
  }

  #struct(schema: Schema, depth: number): Record<string, unknown> {
    const drawn: Record<string, unknown> = {};
    for (const [field, value] of Object.entries(schema.properties ?? {})) {
      const wanted = schema.required?.includes(field) ? 0.9 : 0.6 / (depth + 1);
      if (depth <= MAX_DEPTH && this.#chance(wanted))
        drawn[field] = this.#field(field, value, depth + 1);
    }
    return drawn;
  }

  /** The object with one part somewhere inside drawn anew, left out, or doubled. */
  #bent(object: unknown, schema: Schema): unknown {
    if (Array.isArray(object) && object.length > 0) {
      const items = object as unknown[];
      const at = Math.floor(this.#random.next() * items.length);
      if (this.#chance(0.1)) return [...items, items[at]];
      const next = this.#bent(items[at], resolved(schema).items ?? {});
      return items.map((item, i) => (i === at ? next : item));
    }
    const shape = resolved(schema);
    if (!isRecord(object) || this.#chance(0.08)) return this.#value(schema, 3);
    const fields = [...new Set([...Object.keys(object), ...Object.keys(shape.properties ?? {})])];
    const present = Object.keys(object);
    const field = this.#pick(this.#chance(0.7) && present.length > 0 ? present : fields);
    if (field === undefined) return this.#value(schema, 3);
    const { [field]: old, ...rest } = object;
    if (this.#chance(0.08)) return rest;
    const inner = shape.properties?.[field] ?? shape.additionalProperties ?? {};
    const anew = old === undefined || SIZES.has(field);
    return { ...rest, [field]: anew ? this.#field(field, inner, 2) : this.#bent(old, inner) };
  }

  /** A request about some kind. Watches are left out: their answers do not end. */
  request(): FuzzedRequest {
    const definition = this.definition();
    const method = this.#pick([
      'POST',
      'POST',
      'POST',
      'PUT',
      'PATCH',
      'PATCH',
      'GET',
      'GET',
      'DELETE',
    ]);
    const type = method === 'PATCH' ? this.#pick(PATCH_TYPES) : 'application/json';
    return {
      method: this.#chance(0.02) ? this.#pick(['OPTIONS', 'HEAD', 'TRACE']) : method,
      path: this.#path(definition, method) + this.#query(),
      headers: {
        accept: this.#chance(0.6) ? 'application/json' : this.#pick(ACCEPTS),
        'content-type': this.#chance(0.95) ? type : this.#pick(OTHER_TYPES),
      },
      body: method === 'GET' ? undefined : this.#body(definition, method, type),
    };
  }

  /** A name, most often one that is in use. With an empty one a deletion would be of all, the server's own roles among them. */
  #name(): string {
    return this.#chance(0.9)
      ? this.#pick(['a', 'b', 'web'])
      : encodeURIComponent(this.#pick(STRINGS)) || 'a';
  }

  #path({ ref, subresources, hasStatus, scale }: ResourceDefinition, method: string): string {
    const base = ref.group === '' ? '/api' : `/apis/${ref.group}`;
    const namespace = this.#chance(0.9) ? 'default' : this.#pick(['gone', 'A_', '..', '%00']);
    const place = ref.namespaced && this.#chance(0.97) ? `/namespaces/${namespace}` : '';
    const all = `${base}/${ref.version}${place}/${ref.plural}`;
    if (this.#chance(0.02)) return `${all}/${encodeURIComponent(this.#pick(STRINGS))}/x/y/z`;
    if (method === 'POST' ? this.#chance(0.95) : method === 'GET' && this.#chance(0.4)) return all;
    const name = this.#name();
    if (this.#chance(0.8)) return `${all}/${name}`;
    const offered = subresources.map((each) => each.name).filter((each) => !STREAMS.has(each));
    const more = [
      ...offered,
      ...(hasStatus ? ['status'] : []),
      ...(scale ? ['scale'] : []),
      'nope',
    ];
    return `${all}/${name}/${this.#pick(more)}`;
  }

  #query(): string {
    const query = new URLSearchParams();
    while (this.#chance(0.25)) {
      const name = this.#pick(Object.keys(QUERY));
      query.append(name, this.#pick(QUERY[name] ?? []));
    }
    return query.size > 0 ? `?${query.toString()}` : '';
  }

  #body(definition: ResourceDefinition, method: string, type: string): string {
    if (this.#chance(0.02))
      return this.#pick(['', '{', 'null', '[]', '7', '{"a":', '\u0000', 'a: [']);
    if (type === 'application/json-patch+json') return JSON.stringify(this.#operations(definition));
    if (method === 'DELETE') {
      const options = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
      return this.#chance(0.6) ? '' : JSON.stringify(this.#value(schemaOf(options), 0));
    }
    const object = this.object(definition);
    if (method !== 'PATCH' || type.includes('apply') || this.#chance(0.3))
      return JSON.stringify(object);
    const fields = Object.keys(object).filter(() => this.#chance(0.5));
    return JSON.stringify(Object.fromEntries(fields.map((field) => [field, object[field]])));
  }

  #operations(definition: ResourceDefinition): object[] {
    const object = this.object(definition);
    const pointer = () => {
      let at: unknown = object;
      let path = '';
      while (typeof at === 'object' && at !== null && this.#chance(0.85)) {
        const keys = Object.keys(at);
        const key = this.#chance(0.93)
          ? (this.#pick(keys) ?? '-')
          : this.#pick(['-', '99', '~', '']);
        path += `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        at = (at as Record<string, unknown>)[key];
      }
      return path;
    };
    return Array.from({ length: this.#pick([1, 1, 2, 5]) }, () => {
      const place = pointer();
      const path = this.#chance(0.97) ? place : this.#pick(ODDITIES);
      if (SIZES.has(place.split('/').at(-1) ?? ''))
        return { op: 'replace', path, value: this.#pick(SMALL) };
      const op = this.#pick(['add', 'add', 'replace', 'remove', 'move', 'copy', 'test', 'x']);
      const value = this.#pick<unknown>([...ODDITIES, ...STRINGS, ...NUMBERS, object]);
      return { op, path, from: pointer(), value };
    });
  }
}

/** Subresources that hand the connection over. */
const STREAMS = new Set(['exec', 'attach', 'portforward', 'log', 'proxy']);

function resolved(schema: Schema): Schema {
  const name = refName(schema);
  return name === undefined || LEAVES[name.split('.').at(-1) ?? ''] ? schema : schemaOf(name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
