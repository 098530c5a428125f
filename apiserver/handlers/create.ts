// POST to a collection.
import type { LooseObject, ManagedFieldsEntry } from '../../api/meta/object.ts';
import { formatTime } from '../../api/meta/time.ts';
import { nameSuffix } from '../../base/random.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import { alreadyExists, badRequest, StatusError } from '../../api/status.ts';
import type { Exchange } from '../exchange.ts';
import { trackWrite, type Writer } from '../managedfields/track-write.ts';
import { MAX_NAME_ATTEMPTS } from '../options.ts';
import { prepareForCreate, validateCreate } from '../registry/preparation.ts';
import type { Written } from '../registry/registry.ts';
import { NOTHING_TAKEN } from '../registry/strategies.ts';
import { admissionOf } from './admission-request.ts';
import { decodeBody, placeObject } from './decoding.ts';
import { keepSoundOwners, setOwners, writerOf } from './ownership.ts';
import { objectPresenter } from './presentation.ts';
import { isDryRun } from './write-options.ts';

/** Suffixes need room: upstream cuts the base to 58 characters. */
const MAX_GENERATED_BASE = 58;

/** Stores a new object. */
export async function create(exchange: Exchange): Promise<Reply> {
  if (exchange.definition.ending)
    throw new StatusError(
      'MethodNotAllowed',
      'create not allowed while custom resource definition is terminating',
    );
  const show = objectPresenter(exchange);
  const writer = writerOf(exchange, 'all but status');
  const object = decodeBody(exchange);
  if (object.metadata.resourceVersion)
    throw badRequest('resourceVersion should not be set on objects to be created');
  const written = await createDecoded(exchange, writer, object);
  return show(written.stored, 201);
}

/** Stores a new object as it was decoded, owned by its writer. */
export async function createDecoded(
  exchange: Exchange,
  writer: Writer,
  object: LooseObject,
): Promise<Written> {
  const submitted = object.metadata.managedFields;
  delete object.metadata.managedFields;
  // What defaults give is the writer's; what admission and the server add is nobody's.
  const owners = await trackWrite(writer, { before: undefined, after: object, submitted });
  return createObject(exchange, object, owners);
}

/** The way of a new object from decoded to durable; tries other names where the name is generated. */
export async function createObject(
  exchange: Exchange,
  object: LooseObject,
  owners: readonly ManagedFieldsEntry[] | undefined,
): Promise<Written> {
  const asked = object.metadata.name ?? '';
  setOwners(object, owners);
  const admission = admissionOf(exchange, { operation: 'create', object, name: asked });
  const changed = exchange.server.admission.mutate(admission);
  if (typeof changed === 'boolean' ? changed : await changed)
    checkChanged(exchange, object, owners);
  const { generateName, name } = object.metadata;
  const generated = !name && generateName;
  for (let attempt = 0; attempt < (generated ? MAX_NAME_ATTEMPTS : 1); attempt++) {
    if (generated)
      object.metadata.name =
        generateName.slice(0, MAX_GENERATED_BASE) + nameSuffix(exchange.server.random);
    const written = await createOnce(exchange, object);
    if (written) return written;
  }
  const taken = object.metadata.name ?? '';
  const refusal = alreadyExists(exchange.definition.ref, taken);
  if (!generated) throw refusal;
  throw new StatusError(
    'AlreadyExists',
    `${refusal.message}, the server was not able to generate a unique name for the object`,
    { details: { ...refusal.details, retryAfterSeconds: 1 } },
  );
}

/** What admission from outside made of a new object is still an object for this URL. Throws BadRequest. */
function checkChanged(
  exchange: Exchange,
  object: LooseObject,
  owners: readonly ManagedFieldsEntry[] | undefined,
): void {
  placeObject(exchange, object);
  keepSoundOwners(object, owners);
}

async function createOnce(exchange: Exchange, object: LooseObject): Promise<Written | undefined> {
  const { definition, server, request, info, warnings } = exchange;
  const now = formatTime(server.clock.now());
  prepareForCreate(definition, object, { uid: server.random.uuid(), now });
  const name = object.metadata.name ?? '';
  const strategy = server.strategies.get(`${definition.ref.group}/${definition.ref.plural}`);
  const taken = strategy?.allocate(object, undefined) ?? NOTHING_TAKEN;
  const dryRun = isDryRun(request.query);
  let kept = false;
  try {
    const checking = validateCreate(definition, object);
    if (checking) await checking;
    const admission = admissionOf(exchange, { operation: 'create', object, name });
    const admitting = server.admission.validate(admission);
    if (admitting) await admitting;
    warnings.push(...(definition.warnings?.(object) ?? []));
    if (definition.unattended !== undefined) warnings.push(definition.unattended);
    const at = { definition, namespace: info.namespace, name };
    const written = await server.registry.create(at, object, dryRun);
    kept = written !== undefined && !dryRun;
    return written;
  } finally {
    if (!kept) taken.undo();
  }
}
