// Brings one blob into a file: streamed, hashed on the way, continued after a cut where the registry lets us.
// Invariants: when it resolves, the file has exactly the size and digest of the descriptor; what is hashed is what is written, whatever
// failed between; memory does not depend on the blob's size.
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { BadImageError } from '../image-config.ts';
import type { Descriptor } from '../manifest.ts';
import type { Incoming } from './exchange.ts';
import { connectionFailure, RegistryError } from './registry-error.ts';
import { type Repository, scopeOf } from './remote-image.ts';
import { waitBefore } from './retries.ts';
import { StallWatch } from './stall-watch.ts';

/** Cuts of one blob at most, though each brought something. */
const MAX_CUTS = 50;

/** One download under way. */
interface Download {
  readonly repository: Repository;
  readonly blob: Descriptor;
  readonly output: FileHandle;
  readonly onBytes: (count: number) => void;
  hash: Hash;
  /** Written and hashed. */
  bytes: number;
}

/** Downloads it. `onBytes` is told of bytes as they come; less than nothing where some must come again. */
export async function downloadBlob(
  repository: Repository,
  blob: Descriptor,
  { file, onBytes }: { file: string; onBytes: (count: number) => void },
): Promise<void> {
  const output = await open(file, 'w', 0o600);
  try {
    const hash = createHash('sha256');
    const download: Download = { repository, blob, output, onBytes, hash, bytes: 0 };
    await untilWhole(download);
    if (`sha256:${download.hash.digest('hex')}` !== blob.digest)
      throw new BadImageError(
        `${repository.connection.host}: a blob does not have the digest ${blob.digest}`,
      );
  } finally {
    await output.close();
  }
}

async function untilWhole(download: Download): Promise<void> {
  const { connection, signal } = download.repository;
  const { doors } = connection;
  let failures = 0;
  for (let cuts = 0; ; cuts++) {
    const before = download.bytes;
    try {
      await receive(download);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof BadImageError) throw error;
      const failure = connectionFailure(connection.host, error);
      failures = download.bytes > before ? 0 : failures + 1;
      if (!failure.passing) throw failure;
      if (failures >= doors.patience.attempts || cuts >= MAX_CUTS)
        throw cutShort(failure, download);
      await waitBefore(doors, { attempt: failures, error: failure, signal });
    }
  }
}

function cutShort(failure: RegistryError, { blob, bytes }: Download): RegistryError {
  const where = `after ${bytes} of ${blob.size} bytes of ${blob.digest}`;
  return new RegistryError('unavailable', `${failure.message}, ${where}`, { cause: failure });
}

async function receive(download: Download): Promise<void> {
  const { repository, blob, bytes: from } = download;
  const { connection, path, signal } = repository;
  const reply = await connection.send({
    method: 'GET',
    path: `${path}/blobs/${blob.digest}`,
    headers: from > 0 ? { range: `bytes=${from}-` } : {},
    scope: scopeOf(path, 'pull'),
    signal,
  });
  try {
    if (reply.status !== 200 && reply.status !== 206) throw await connection.failureOf(reply);
    if (!continuesAt(reply, from)) await restart(download);
    refuseOtherSize(reply, download);
    await write(reply, download);
  } finally {
    reply.body.destroy();
  }
}

/** Does the body go on where the file ends? Throws where it goes on elsewhere. */
function continuesAt(reply: Incoming, from: number): boolean {
  if (reply.status === 200) return from === 0;
  const start = /^bytes (\d+)-/.exec(reply.header('content-range') ?? '')?.[1];
  if (Number(start) === from) return true;
  throw new RegistryError(
    'refused',
    `${reply.url.host}: it answers another range than was asked for`,
  );
}

async function restart(download: Download): Promise<void> {
  await download.output.truncate(0);
  download.onBytes(-download.bytes);
  download.bytes = 0;
  download.hash = createHash('sha256');
}

function refuseOtherSize(reply: Incoming, { blob, bytes }: Download): void {
  const told = reply.header('content-length');
  if (told === undefined || Number(told) === blob.size - bytes) return;
  throw new BadImageError(
    `${reply.url.host}: ${told} bytes of ${blob.digest} are offered, ${blob.size - bytes} are missing by its manifest`,
  );
}

async function write(reply: Incoming, download: Download): Promise<void> {
  const { blob, output, repository } = download;
  const { clock, patience } = repository.connection.doors;
  const { host } = reply.url;
  const stalled = new RegistryError(
    'unavailable',
    `${host}: it said nothing within ${patience.stallMs} ms, after ${download.bytes} of ${blob.size} bytes of ${blob.digest}`,
  );
  const watch = new StallWatch(clock, patience.stallMs, () => reply.body.destroy(stalled));
  try {
    for await (const chunk of reply.body as AsyncIterable<Buffer>) {
      watch.heard();
      if (download.bytes + chunk.length > blob.size)
        throw new BadImageError(
          `${host}: ${blob.digest} is larger than the ${blob.size} bytes of its manifest`,
        );
      await output.write(chunk, 0, chunk.length, download.bytes);
      download.hash.update(chunk);
      download.bytes += chunk.length;
      download.onBytes(chunk.length);
    }
  } finally {
    watch.stop();
  }
  if (download.bytes < blob.size)
    throw new RegistryError('unavailable', `${host}: the connection was cut`, { passing: true });
}
