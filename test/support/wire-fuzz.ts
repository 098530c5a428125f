// Requests that are odd in how they are put rather than in what they say: formats, headers, upgrades, definitions and their objects.
// Invariant: what is drawn follows from the seed alone.
import { stringify } from 'yaml';
import { seededRandom } from '../../base/random.ts';
import { PROTOBUF_TYPE } from '../../api/schema/protobuf.ts';
import { type FuzzedRequest, Fuzzer } from './fuzz.ts';

/** A request as it is sent; a body may be bytes. */
export interface WireRequest extends Omit<FuzzedRequest, 'body'> {
  readonly body: string | Uint8Array | undefined;
}

/** The collection that drawn definitions are of; instances are drawn for it. */
export const GADGETS = '/apis/fuzz.example.com/v1/namespaces/default/gadgets';
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const HEADERS: Readonly<Record<string, readonly string[]>> = {
  accept: [
    'application/json;q=x',
    'application/json;as=Table;v=v9;g=x',
    'application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json',
    '*/*;q=0',
    'application/json,'.repeat(200),
    `${'a'.repeat(300)}/json`,
    PROTOBUF_TYPE,
    '\t;\t',
  ],
  'content-type': [
    'application/json; charset=utf-16',
    'application/json;application/yaml',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'APPLICATION/JSON',
    '',
    ',',
    PROTOBUF_TYPE,
  ],
  'content-encoding': ['gzip', 'deflate', 'br', 'identity', 'x', 'gzip, gzip'],
  'accept-encoding': ['gzip', 'gzip;q=0', '*', 'br;q=1, gzip;q=x', ','],
  'if-none-match': ['*', '"x"', 'W/"x"', ''],
  'if-match': ['*', '"1"'],
  'if-modified-since': ['Thu, 01 Jan 1970 00:00:00 GMT', 'x'],
  range: ['bytes=0-0', 'bytes=9-1', 'bytes=-1', 'lines=1'],
  expect: ['100-continue'],
  'impersonate-user': [
    'eve',
    '',
    'system:admin',
    'system:serviceaccount:a',
    '%00',
    'x'.repeat(999),
  ],
  'impersonate-group': ['system:masters', '', 'a,b'],
  'impersonate-uid': ['1', ''],
  'impersonate-extra-scopes': ['a', ''],
  'impersonate-extra-%zz': ['a'],
  'impersonate-extra-': ['a'],
  'x-remote-user': ['admin'],
  'x-http-method-override': ['DELETE'],
  authorization: ['Bearer x', 'Bearer', 'Basic YTpi', 'Bearer a b', `Bearer ${'x'.repeat(20_000)}`],
  'user-agent': ['', '/', 'x'.repeat(2000), 'kubectl/v1.35 (linux)'],
  'kubectl-command': ['x'],
  cookie: ['a=b'],
  upgrade: ['websocket', 'SPDY/3.1', 'h2c', 'x'],
  'sec-websocket-protocol': [
    'v4.channel.k8s.io',
    'v5.channel.k8s.io, x',
    'base64url.bearer.authorization.k8s.io.%%',
  ],
  'x-stream-protocol-version': ['v4.channel.k8s.io', 'x'],
};
/** A type and its rules, drawn from. */
const RULES: readonly object[] = [
  { type: 'string', pattern: '^a+$' },
  { type: 'string', maxLength: 3, default: 'a' },
  { type: 'string', enum: ['a', 'b'] },
  { type: 'string', format: 'date-time' },
  { type: 'integer', minimum: 2, default: 3 },
  { type: 'integer', format: 'int32', maximum: -1 },
  { type: 'number', multipleOf: 0.5 },
  { type: 'boolean', nullable: true },
  { 'x-kubernetes-int-or-string': true },
  { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  { type: 'object', additionalProperties: { type: 'string' } },
  {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
  },
  { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
  {
    type: 'array',
    items: {
      type: 'object',
      properties: { k: { type: 'string' }, v: { type: 'integer' } },
      required: ['k'],
    },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
  },
  { type: 'string', not: { enum: ['a'] } },
  { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true },
  { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > 0', message: 'no' }] },
];
/** What breaks a definition here and there. */
const BREAKS: readonly object[] = [
  { type: 'x' },
  { type: 'string', pattern: '(' },
  { type: 'array' },
  { type: 'integer', default: 'x' },
  { $ref: '#/x' },
  { type: 'object', additionalProperties: false },
  { type: 'string', properties: { a: {} } },
  { type: 'object', 'x-kubernetes-validations': [{ rule: '((' }] },
  {},
];
const VALUES: readonly unknown[] = [
  'a',
  'aaaa',
  '',
  'b',
  0,
  1,
  3,
  -1,
  1.5,
  1e300,
  true,
  null,
  [],
  {},
  ['a', 'a'],
  [null],
  [{ k: 'a', v: 1 }],
  [{ k: 'a' }, { k: 'a' }],
  [{ v: 1 }],
  { a: 'b' },
  { a: { a: { a: 1 } } },
  { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } },
  '2026-01-01T00:00:00Z',
  2 ** 53,
];
const FIELDS = ['a', 'b', 'c', 'd'];
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

/** Draws such requests. */
export class WireFuzzer {
  readonly #random;
  readonly #plain: Fuzzer;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#plain = new Fuzzer(seed);
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }

  #pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random.next() * values.length)] as T;
  }

  #times(most: number): readonly undefined[] {
    return Array.from({ length: Math.floor(this.#random.next() * (most + 1)) });
  }

  /** The next one. */
  request(): WireRequest {
    return this.#pick([
      () => this.#withHeaders(),
      () => this.#inProtobuf(),
      () => this.#inYaml(),
      () => this.#definition(),
      () => this.#gadget(),
      () => this.#gadget(),
    ])();
  }

  #withHeaders(): WireRequest {
    const { method, path, headers, body } = this.#plain.request();
    return { method, path, body, headers: { ...headers, ...this.#oddHeaders(4) } };
  }

  /** Up to so many. A body that is announced as cut into pieces of its own is for raw connections. */
  #oddHeaders(most: number): Record<string, string> {
    const names = Object.keys(HEADERS);
    return Object.fromEntries(
      this.#times(most).map(() => {
        const name = this.#pick(names);
        return [name, this.#pick(HEADERS[name] ?? [])];
      }),
    );
  }

  #inProtobuf(): WireRequest {
    const { path } = this.#plain.request();
    const { group, version, kind } = this.#plain.definition().ref;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    const known = [text(1, apiVersion), text(2, kind)];
    const typeMeta = this.#chance(0.9) ? Buffer.concat(known) : this.#bytes(40);
    const raw = this.#chance(0.8) ? this.#message(3) : this.#bytes(200);
    const whole = Buffer.concat([MAGIC, field(1, typeMeta), field(2, raw)]);
    const body = this.#chance(0.2) ? whole.subarray(0, this.#random.next() * whole.length) : whole;
    return { method: 'POST', path, body, headers: { 'content-type': PROTOBUF_TYPE } };
  }

  #bytes(most: number): Buffer {
    return Buffer.from(this.#times(most).map(() => Math.floor(this.#random.next() * 256)));
  }

  /** Fields of any number and type, nested. */
  #message(depth: number): Buffer {
    return Buffer.concat(
      this.#times(5).map(() => {
        const number = this.#pick([1, 1, 1, 2, 2, 3, 4, 5, 12, 19, 2047]);
        return this.#pick([
          () => field(number, depth > 0 ? this.#message(depth - 1) : this.#bytes(9)),
          () => text(number, this.#pick(['a', 'default', 'x'.repeat(300), '\u0000'])),
          () => Buffer.concat([tag(number, 0), this.#bytes(11)]),
          () => Buffer.concat([tag(number, this.#pick([1, 3, 5, 6, 7])), this.#bytes(8)]),
        ])();
      }),
    );
  }

  #inYaml(): WireRequest {
    const { method, path, body: json } = this.#plain.request();
    const whole = stringify(parsed(json));
    const lines = whole.split('\n');
    const at = Math.floor(this.#random.next() * lines.length);
    const odd = this.#pick([
      '  - :',
      '&a [*a]',
      '<<: {a: b}',
      '<<: x',
      '!!binary x',
      '!x y',
      '? {a: b}',
      '"\\x',
      '---',
      '\t',
      '*gone',
      '"a": 1\n"a": 2',
      '- - - -',
      '{',
      '%YAML 9',
      'on: off',
      '1e9: ~',
      '0x1F: 017',
    ]);
    if (this.#chance(0.7)) lines.splice(at, this.#chance(0.5) ? 1 : 0, odd);
    const query = this.#chance(0.3) ? '?fieldValidation=Strict' : '';
    const type = method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/yaml';
    const place = path.split('?')[0] ?? path;
    const body = json === undefined ? undefined : lines.join('\n');
    return { method, path: `${place}${query}`, body, headers: { 'content-type': type } };
  }

  #schema(depth: number): object {
    if (depth === 0 || this.#chance(0.3))
      return this.#chance(0.97) ? this.#pick(RULES) : this.#pick(BREAKS);
    const names = FIELDS.filter(() => this.#chance(0.6));
    const properties = Object.fromEntries(names.map((name) => [name, this.#schema(depth - 1)]));
    const required = this.#chance(0.2) ? { required: [this.#pick(FIELDS)] } : {};
    return { type: 'object', properties, ...required };
  }

  #definition(): WireRequest {
    const isPut = this.#chance(0.3);
    const names = { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' };
    const version = (name: string, storage: boolean) => ({
      name,
      served: this.#chance(0.95),
      storage,
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: { spec: this.#schema(3), status: this.#schema(1) },
        },
      },
      ...(this.#chance(0.5) && { subresources: { status: {} } }),
      ...(this.#chance(0.1) && {
        subresources: {
          scale: {
            specReplicasPath: this.#pick(['.spec.a', '.x', '.spec[0]']),
            statusReplicasPath: '.status.a',
          },
        },
      }),
      ...(this.#chance(0.3) && {
        additionalPrinterColumns: [
          {
            name: 'A',
            type: this.#pick(['string', 'date', 'integer', 'x']),
            jsonPath: this.#pick(['.spec.a', '.spec.c[*].k', '..a', '[']),
          },
        ],
      }),
    });
    const body = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'gadgets.fuzz.example.com' },
      spec: {
        group: 'fuzz.example.com',
        scope: this.#chance(0.97) ? 'Namespaced' : this.#pick(['Cluster', 'x']),
        names: this.#chance(0.97) ? names : { ...names, plural: this.#pick(['', 'A', 'pods']) },
        versions: [
          version('v1', true),
          ...(this.#chance(0.2) ? [version('v2', this.#chance(0.1))] : []),
        ],
        preserveUnknownFields: this.#chance(0.03),
      },
    };
    if (this.#chance(0.05)) return { method: 'DELETE', path: NAMED, headers: {}, body: undefined };
    if (this.#chance(0.5)) {
      const headers = { 'content-type': 'application/merge-patch+json' };
      return { method: 'PATCH', path: NAMED, headers, body: JSON.stringify({ spec: body.spec }) };
    }
    const path = isPut ? NAMED : DEFINITIONS;
    return { method: isPut ? 'PUT' : 'POST', path, headers: JSON_TYPE, body: JSON.stringify(body) };
  }

  #part(): Record<string, unknown> {
    const inner = () =>
      Object.fromEntries(
        FIELDS.filter(() => this.#chance(0.4)).map((f) => [f, this.#pick(VALUES)]),
      );
    return Object.fromEntries(
      FIELDS.filter(() => this.#chance(0.5)).map((name) => [
        name,
        this.#chance(0.3) ? inner() : this.#pick(VALUES),
      ]),
    );
  }

  #gadget(): WireRequest {
    const name = this.#pick(['a', 'b', 'c']);
    const object = {
      apiVersion: 'fuzz.example.com/v1',
      kind: 'Gadget',
      metadata: { name },
      spec: this.#chance(0.95) ? this.#part() : this.#pick(VALUES),
      ...(this.#chance(0.3) && { status: this.#part() }),
    };
    const query = this.#chance(0.5)
      ? ''
      : `?${this.#pick(['dryRun=All', 'fieldValidation=Strict', 'fieldManager=me&force=true', 'fieldSelector=spec.a=1', 'limit=1'])}`;
    const part = this.#chance(0.2) ? this.#pick(['/status', '/scale', '/nope']) : '';
    const one = `${GADGETS}/${name}${part}${query}`;
    const body = JSON.stringify(object);
    switch (this.#pick(['POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'GET', 'DELETE'])) {
      case 'POST':
        return { method: 'POST', path: GADGETS + query, headers: JSON_TYPE, body };
      case 'PUT':
        return { method: 'PUT', path: one, headers: JSON_TYPE, body };
      case 'PATCH':
        return this.#patch(one, object);
      case 'DELETE':
        return { method: 'DELETE', path: one, headers: {}, body: undefined };
      default: {
        const path = this.#chance(0.5) ? one : GADGETS + query;
        return { method: 'GET', path, headers: this.#oddHeaders(1), body: undefined };
      }
    }
  }

  #patch(path: string, object: object): WireRequest {
    const type = this.#pick(PATCHES);
    const headers = { 'content-type': type };
    if (!type.includes('json-patch')) {
      const query = type.includes('apply') && !path.includes('?') ? '?fieldManager=me' : '';
      return { method: 'PATCH', path: path + query, headers, body: JSON.stringify(object) };
    }
    const operations = this.#times(4).map(() => ({
      op: this.#pick(['add', 'replace', 'remove', 'copy', 'move', 'test']),
      path: this.#pick([
        '/spec',
        '/spec/a',
        '/spec/c/0',
        '/spec/c/-',
        '/metadata/labels',
        '/status',
        '',
      ]),
      from: this.#pick(['/spec/a', '/spec', '/metadata']),
      value: this.#pick(VALUES),
    }));
    return { method: 'PATCH', path, headers, body: JSON.stringify(operations) };
  }

  /** The head of a request on a raw connection: what no client library would send. */
  rawHead(): string {
    const method = this.#pick(['GET', 'POST', 'get', 'G\u0000T', '', 'PRI', 'CONNECT', 'GET']);
    const target = this.#pick([
      '/api',
      '*',
      'http://x/api',
      '//',
      '/api/v1/pods?watch=1\u0000',
      '/%',
      '/api\\',
      `/${'a'.repeat(20_000)}`,
    ]);
    const version = this.#pick(['HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', 'HTTP/2.0', 'x', '']);
    const headers = this.#times(4).map(() =>
      this.#pick([
        'host: x',
        'host:',
        'content-length: -1',
        'content-length: 5\r\ncontent-length: 6',
        'content-length: 99999999999999999999',
        'transfer-encoding: chunked',
        'transfer-encoding: x',
        'transfer-encoding: chunked\r\ncontent-length: 3',
        ' folded',
        'a\u0000b: c',
        ': x',
        'a',
        'connection: upgrade\r\nupgrade: websocket',
        'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13',
        'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 12',
        'connection: upgrade\r\nupgrade: SPDY/3.1',
        'expect: x',
        `x: ${'y'.repeat(70_000)}`,
      ]),
    );
    const body = this.#pick([
      '',
      '5\r\nhello\r\n0\r\n\r\n',
      'zz\r\n',
      'ffffffffffffffff\r\n',
      '\u0000',
    ]);
    return `${method} ${target} ${version}\r\n${headers.map((line) => `${line}\r\n`).join('')}connection: close\r\n\r\n${body}`;
  }

  /** Bytes for an open WebSocket: whole frames, broken ones, and noise. */
  frames(): Buffer {
    return Buffer.concat(
      this.#times(4).map(() => {
        const first = this.#pick([0x80, 0x81, 0x82, 0x83, 0x88, 0x89, 0x8a, 0xc1, 0x01, 0xff]);
        const length = this.#pick([0x80, 0x81, 0xfe, 0xff, 0x05, 0x7f]);
        return Buffer.concat([Buffer.from([first, length]), this.#bytes(30)]);
      }),
    );
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };
const NAMED = `${DEFINITIONS}/gadgets.fuzz.example.com`;
const MAGIC = Buffer.from('k8s\u0000');

/** What a body says; null where it is broken. */
function parsed(json: string | undefined): unknown {
  try {
    return JSON.parse(json ?? 'null');
  } catch {
    return null;
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

const tag = (number: number, type: number): Buffer => varint(number * 8 + type);

const field = (number: number, bytes: Buffer): Buffer =>
  Buffer.concat([tag(number, 2), varint(bytes.length), bytes]);

const text = (number: number, value: string): Buffer => field(number, Buffer.from(value));
