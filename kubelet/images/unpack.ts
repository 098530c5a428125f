// Unpacks one tar (plain, gzip or zstd, told by its first bytes) into a fresh directory with GNU tar, as a stream: it is hashed,
// vetted and measured on the way, so memory stays small and the event loop free. GNU tar keeps owners, modes, devices, attributes and
// hard links, and makes doubtful symbolic links only at the end. Invariants: nothing is written outside the directory; when this
// rejects, the caller throws the directory away.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { System } from '../../system/system.ts';
import { decoderFor } from './compression.ts';
import { BadImageError } from './image-config.ts';
import { type Hidden, LayerRules } from './layer-rules.ts';
import { UNPACK_LIMITS, type UnpackLimits } from './limits.ts';
import { TarScanner } from './tar-scan.ts';

const MAX_ERROR_BYTES = 4096;
const READ_BYTES = 64 * 1024;

/** What unpacking told. */
export interface Unpacked {
  /** Digest of the tar inside. */
  readonly diffId: string;
  /** Bytes of the tar inside. */
  readonly sizeBytes: number;
  readonly members: number;
  /** What a layer hides; it is made by hideNames. */
  readonly hidden: Hidden;
}

/** `layer` keeps owners and attributes; `archive` only holds files that we read, so it keeps none. */
export type UnpackMode = 'layer' | 'archive';

/** How to unpack. */
export interface UnpackOptions {
  readonly mode: UnpackMode;
  readonly limits?: UnpackLimits;
  /** Bytes that the file system has left for it. */
  readonly roomBytes?: number;
  readonly signal?: AbortSignal;
}

const TAR_ARGS: Readonly<Record<UnpackMode, readonly string[]>> = {
  // What overlayfs keeps in attributes of its own would tell it to look elsewhere; hidden names are made afterwards.
  layer: [
    '--xattrs',
    '--xattrs-include=*',
    '--xattrs-exclude=trusted.*',
    '--exclude=.wh.*',
    '--numeric-owner',
    '--same-owner',
    '-p',
  ],
  archive: ['--no-same-owner', '--no-same-permissions'],
};

/** Unpacks `file` into `directory`. Throws BadImageError, in words of ours or in tar's, when it is broken or must not be unpacked. */
export async function unpackTar(
  system: System,
  source: { file: string; sizeBytes: number; directory: string },
  options: UnpackOptions,
): Promise<Unpacked> {
  const decoder = await decoderFor(source.file);
  const tar = startTar(system, source.directory, options.mode);
  const rules = new LayerRules();
  const meter = measure(rules, boundsOf(source.sizeBytes, options));
  const input = createReadStream(source.file, { highWaterMark: READ_BYTES });
  const stages = decoder ? [decoder, meter.stream] : [meter.stream];
  const signal = options.signal && { signal: options.signal };
  const fed = pipeline([input, ...stages, intoTar(tar)], { ...signal }).catch(
    (error: unknown) => error as Error,
  );
  const failure = await fed;
  // Whatever happened to the stream, tar has seen the end of its input and ends.
  const said = await tar.ended;
  options.signal?.throwIfAborted();
  const refusal = failure instanceof BadImageError ? failure : undefined;
  if (refusal) throw refusal;
  if (said !== undefined) throw new BadImageError(`the archive is broken: ${said}`);
  if (failure) throw new BadImageError(`the archive is broken: ${failure.message}`);
  return { ...meter.result(), members: rules.members, hidden: rules.hidden };
}

interface RunningTar {
  readonly input: NodeJS.WritableStream;
  /** What it said when it failed; undefined when it did not. */
  readonly ended: Promise<string | undefined>;
}

function startTar(system: System, directory: string, mode: UnpackMode): RunningTar {
  const child = system.spawn('tar', ['-x', '-f', '-', ...TAR_ARGS[mode], '-C', directory], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    if (said.length < MAX_ERROR_BYTES) said += chunk.toString();
  });
  const ended = new Promise<string | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code === 0 ? undefined : firstLine(said)));
  });
  ended.catch(() => undefined);
  if (!child.stdin) throw new Error('tar was started without its input');
  return { input: child.stdin, ended };
}

/**
 * Hands the tar on for as long as GNU tar takes it. It ends at the mark of the tar's end, whatever comes behind, and may be gone before
 * word that the last of it was taken: if it ended well, the rest is only measured.
 */
function intoTar({ input, ended }: RunningTar): Writable {
  input.on('error', () => undefined);
  return new Writable({
    write(chunk: Buffer, _encoding, taken) {
      input.write(chunk, (refused) => {
        if (refused) ended.then((said) => taken(said === undefined ? null : refused), taken);
        else taken();
      });
    },
    final(done) {
      input.end();
      done();
    },
    destroy(error, done) {
      input.end();
      done(error);
    },
  });
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 300) || 'tar could not read it';
}

/** How large the tar may become, and what is said then. */
interface Bound {
  readonly bytes: number;
  readonly why: string;
}

function boundsOf(sizeBytes: number, options: UnpackOptions): Bound {
  const limits = options.limits ?? UNPACK_LIMITS;
  const ratioBytes = Math.max(limits.bombFloorBytes, sizeBytes * limits.bombRatio);
  const bounds: Bound[] = [
    {
      bytes: limits.unpackedLayerBytes,
      why: `it unpacks to more than ${limits.unpackedLayerBytes} bytes`,
    },
    {
      bytes: ratioBytes,
      why: `its ${sizeBytes} bytes unpack to more than ${ratioBytes}: it is made to fill the disk`,
    },
    {
      bytes: options.roomBytes ?? Number.POSITIVE_INFINITY,
      why: `it unpacks to more than the ${options.roomBytes} bytes that the disk has left for images`,
    },
  ];
  return bounds.reduce((least, bound) => (bound.bytes < least.bytes ? bound : least));
}

interface Meter {
  readonly stream: Transform;
  result(): { diffId: string; sizeBytes: number };
}

/** Passes the tar on, hashing it and reading its headers. */
function measure(rules: LayerRules, bound: Bound): Meter {
  const hash: Hash = createHash('sha256');
  let size = 0;
  let holes = 0;
  const refuse = (bytes: number) => {
    if (bytes > bound.bytes) throw new BadImageError(bound.why);
  };
  const scanner = new TarScanner((member) => {
    rules.vet(member);
    // A sparse file is small in the tar, and as large as it says on the disk of whoever copies it.
    holes += member.sizeBytes;
    refuse(holes);
  });
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        size += chunk.length;
        refuse(size);
        hash.update(chunk);
        scanner.push(chunk);
        done(undefined, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        scanner.end();
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  return {
    stream,
    result: () => ({ diffId: `sha256:${hash.digest('hex')}`, sizeBytes: size }),
  };
}
