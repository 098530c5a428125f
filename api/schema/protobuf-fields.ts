// Field numbers of the messages that clients send, by the schema that a message has. Each number was
// seen in bytes that a real client wrote for an object with that one field set; the rows stand in
// protobuf-rows/. The n-th word of a row is the field with number n; `-` is a number without a field.
// A `?` at the end keeps a zero, a false or an empty text (unset is something else there); those
// that a schema requires are kept too. A `+` in front is a message whose fields JSON has in place,
// by the row of that name. Invariant: a message or number that is not here is refused, never dropped.
import { table } from '../../base/table.ts';
import {
  ADMISSION_ROWS,
  AUTHENTICATION_ROWS,
  AUTHORIZATION_ROWS,
  CERTIFICATES_ROWS,
  FLOWCONTROL_ROWS,
  RBAC_ROWS,
} from './protobuf-rows/access.ts';
import {
  APIREGISTRATION_ROWS,
  COORDINATION_ROWS,
  DISCOVERY_ROWS,
  EVENTS_ROWS,
  META_ROWS,
  NETWORKING_ROWS,
  NODE_ROWS,
  RESOURCE_ROWS,
  STORAGE_ROWS,
} from './protobuf-rows/cluster.ts';
import { CORE_ROWS } from './protobuf-rows/core.ts';
import { APIEXTENSIONS_ROWS } from './protobuf-rows/extensions.ts';
import { POD_ROWS } from './protobuf-rows/pods.ts';
import { VOLUME_ROWS } from './protobuf-rows/volumes.ts';
import {
  APPS_ROWS,
  AUTOSCALING_V1_ROWS,
  AUTOSCALING_V2_ROWS,
  BATCH_ROWS,
  POLICY_ROWS,
  SCHEDULING_ROWS,
} from './protobuf-rows/workloads.ts';
import { loadSchemas } from './schema.ts';

/** Rows by the last part of a schema's name. */
export type MessageRows = Readonly<Record<string, string>>;

/** Rows by the rest of a schema's name. */
const PACKAGES: Readonly<Record<string, MessageRows>> = table({
  'io.k8s.apimachinery.pkg.apis.meta.v1': META_ROWS,
  'io.k8s.api.core.v1': { ...CORE_ROWS, ...POD_ROWS, ...VOLUME_ROWS },
  'io.k8s.api.apps.v1': APPS_ROWS,
  'io.k8s.api.batch.v1': BATCH_ROWS,
  'io.k8s.api.autoscaling.v1': AUTOSCALING_V1_ROWS,
  'io.k8s.api.autoscaling.v2': AUTOSCALING_V2_ROWS,
  'io.k8s.api.policy.v1': POLICY_ROWS,
  'io.k8s.api.scheduling.v1': SCHEDULING_ROWS,
  'io.k8s.api.rbac.v1': RBAC_ROWS,
  'io.k8s.api.authentication.v1': AUTHENTICATION_ROWS,
  'io.k8s.api.authorization.v1': AUTHORIZATION_ROWS,
  'io.k8s.api.certificates.v1': CERTIFICATES_ROWS,
  'io.k8s.api.admissionregistration.v1': ADMISSION_ROWS,
  'io.k8s.api.flowcontrol.v1': FLOWCONTROL_ROWS,
  'io.k8s.api.coordination.v1': COORDINATION_ROWS,
  'io.k8s.api.discovery.v1': DISCOVERY_ROWS,
  'io.k8s.api.events.v1': EVENTS_ROWS,
  'io.k8s.api.networking.v1': NETWORKING_ROWS,
  'io.k8s.api.node.v1': NODE_ROWS,
  'io.k8s.api.storage.v1': STORAGE_ROWS,
  'io.k8s.api.resource.v1': RESOURCE_ROWS,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': APIEXTENSIONS_ROWS,
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': APIREGISTRATION_ROWS,
});

/** One field of a message. */
export interface ProtobufField {
  readonly name: string;
  /** Zero, false and the empty text mean something other than absence. */
  readonly keepsZero: boolean;
  /** A message whose fields, these, stand in place of it. */
  readonly embedded?: MessageFields;
}

/** The fields of one message. */
export interface MessageFields {
  /** The field with that number, if it is known here. */
  get(number: number): ProtobufField | undefined;
}

const read = new Map<string, MessageFields>();

/** The fields of the message that has that schema; none where it is not known here. */
export function protobufFields(schemaName: string): MessageFields {
  const known = read.get(schemaName);
  if (known !== undefined) return known;
  const required = new Set(loadSchemas().get(schemaName)?.required);
  const fields = fieldsOf(partsOf(schemaName), required);
  read.set(schemaName, fields);
  return fields;
}

type NameParts = readonly [packageName: string, name: string];

function partsOf(schemaName: string): NameParts {
  const dot = schemaName.lastIndexOf('.');
  return [schemaName.slice(0, dot), schemaName.slice(dot + 1)];
}

function fieldsOf([packageName, row]: NameParts, required: ReadonlySet<string>): MessageFields {
  const fields = new Map<number, ProtobufField>();
  for (const [index, word] of wordsOf([packageName, row]).entries()) {
    if (word === '-') continue;
    const name = word.replace(/^\+|\?$/, '');
    fields.set(index + 1, {
      name,
      keepsZero: word.endsWith('?') || required.has(name),
      ...(word.startsWith('+') ? { embedded: fieldsOf([packageName, name], required) } : {}),
    });
  }
  return fields;
}

function wordsOf([packageName, row]: NameParts): string[] {
  const words = PACKAGES[packageName]?.[row] ?? '';
  return words === '' ? [] : words.split(' ');
}

/**
 * The fields of which a zero, a false or an empty text is the same as none: upstream's types have no pointer there, and
 * leave them out. None where the message is not known here, or its schema requires the field.
 */
export function fieldsWithoutZero(schemaName: string): ReadonlySet<string> {
  const required = new Set(loadSchemas().get(schemaName)?.required);
  return new Set(zerolessOf(partsOf(schemaName)).filter((name) => !required.has(name)));
}

function zerolessOf([packageName, row]: NameParts): string[] {
  return wordsOf([packageName, row])
    .filter((word) => word !== '-' && !word.endsWith('?'))
    .flatMap((word) => (word.startsWith('+') ? zerolessOf([packageName, word.slice(1)]) : word));
}

/** The schemas whose messages are known here, each with the names of the fields that have a number. */
export function protobufFieldNames(): [schemaName: string, fields: string[]][] {
  return Object.entries(PACKAGES).flatMap(([packageName, rows]) =>
    Object.keys(rows)
      .filter((row) => loadSchemas().has(`${packageName}.${row}`))
      .map((row) => [`${packageName}.${row}`, namesOf([packageName, row])]),
  );
}

function namesOf([packageName, row]: NameParts): string[] {
  return wordsOf([packageName, row])
    .filter((word) => word !== '-')
    .flatMap((word) =>
      word.startsWith('+') ? namesOf([packageName, word.slice(1)]) : word.replace(/\?$/, ''),
    );
}
