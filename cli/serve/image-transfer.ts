// `pinnace image` for images on the move: pull and push between this machine and registries, save to an archive.
// Invariant: a password is read from standard input, from a flag that says so, or from the settings, and never printed; Ctrl-C ends a
// transfer and leaves nothing of it.
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { BadImageError } from '../../kubelet/images/image-config.ts';
import { normalizeImageName } from '../../kubelet/images/image-name.ts';
import { parsePlatform } from '../../kubelet/images/platform.ts';
import { pushImage } from '../../kubelet/images/registry/image-pusher.ts';
import { RegistryError } from '../../kubelet/images/registry/registry-error.ts';
import type {
  RegistryEndpoint,
  RegistrySettings,
} from '../../kubelet/images/registry/registry-settings.ts';
import { saveImages } from '../../kubelet/images/save.ts';
import {
  PullError,
  type PullProgress,
  type RegistryCredential,
} from '../../kubelet/runtime/runtime.ts';
import { UsageError } from './data-directory.ts';
import { megabytes } from './image-commands.ts';
import { type ImageFlags, storeOf, storeThere } from './image-store.ts';

/** Flags of pull and push. */
export interface TransferFlags extends ImageFlags {
  /** `user:password`. */
  readonly creds?: string;
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly plainHttp?: boolean;
  readonly platform?: string;
  readonly quiet?: boolean;
}

/** Pulls images. */
export async function pullImages(images: readonly string[], flags: TransferFlags): Promise<void> {
  const { store } = storeOf(flags, (settings) => settled(settings, flags));
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  if (flags.platform !== undefined && !platform)
    throw new UsageError(
      `--platform ${flags.platform}: it is os/architecture, such as linux/arm64`,
    );
  const credential = await credentialOf(flags);
  for (const image of images)
    await transfer(flags, async (signal, onProgress) => {
      const credentials = credential ? [credential] : [];
      const pulling = store.puller.pull(image, { platform, credentials, signal, onProgress });
      if (!pulling) throw new UsageError(`${image}: the settings allow no access to its registry`);
      await pulling;
      const name = normalizeImageName(image) ?? image;
      return `pulled ${name} ${store.find(name)?.manifest ?? ''}`;
    });
}

/** Pushes an image to its own name's registry, or to another name. */
export async function pushTo(
  image: string,
  target: string | undefined,
  flags: TransferFlags,
): Promise<void> {
  const open = storeThere(flags);
  const doors = { ...open, settings: settled(open.settings, flags) };
  const credential = await credentialOf(flags);
  await transfer(flags, async (signal, onProgress) => {
    const digest = await pushImage(doors, image, { target, credential, signal, onProgress });
    return `pushed ${target ?? image} ${digest}`;
  });
}

/** Writes images to an archive; to standard output where no file is named. */
export async function saveTo(
  images: readonly string[],
  flags: ImageFlags & { readonly output?: string },
): Promise<void> {
  const { store } = storeThere(flags);
  const { output } = flags;
  if (output === undefined && process.stdout.isTTY)
    throw new UsageError('an archive is no text for a terminal; name a file with -o, or redirect');
  const file = output === undefined ? process.stdout : createWriteStream(output, { mode: 0o644 });
  // Standard output does not end; a file that cannot be written says so here, whenever that is.
  const written = output === undefined ? Promise.resolve() : finished(file);
  written.catch(() => undefined);
  try {
    await Promise.all([saveImages(store, images, file), written]);
  } catch (error) {
    if (output !== undefined) await rm(output, { force: true });
    throw usageErrorOf(error);
  }
}

/** `--plain-http` holds for the registries themselves, for this command. */
function settled(settings: RegistrySettings, { plainHttp }: TransferFlags): RegistrySettings {
  if (!plainHttp) return settings;
  const plain = (endpoint: RegistryEndpoint): RegistryEndpoint =>
    endpoint.namespace === undefined
      ? { ...endpoint, url: endpoint.url.replace(/^https:/, 'http:') }
      : endpoint;
  return {
    limits: settings.limits,
    source: settings.source,
    endpointsOf: (registry) => settings.endpointsOf(registry).map(plain),
    originOf: (registry) => {
      const origin = settings.originOf(registry);
      return origin && plain(origin);
    },
  };
}

async function credentialOf(flags: TransferFlags): Promise<RegistryCredential | undefined> {
  const { creds, username, passwordStdin } = flags;
  if (creds !== undefined) {
    const colon = creds.indexOf(':');
    if (colon < 1 || username !== undefined)
      throw new UsageError('--creds is user:password, without --username');
    return { username: creds.slice(0, colon), password: creds.slice(colon + 1) };
  }
  if ((username === undefined) !== !passwordStdin)
    throw new UsageError('--username and --password-stdin go together');
  if (username === undefined) return undefined;
  return { username, password: (await text(process.stdin)).replace(/\r?\n$/, '') };
}

async function transfer(
  flags: TransferFlags,
  work: (signal: AbortSignal, onProgress: (progress: PullProgress) => void) => Promise<string>,
): Promise<void> {
  const giveUp = new AbortController();
  const onInterrupt = () => giveUp.abort(new UsageError('given up'));
  process.once('SIGINT', onInterrupt);
  const line = new ProgressLine(!flags.quiet && process.stderr.isTTY);
  try {
    const done = await work(giveUp.signal, (progress) => line.show(progress));
    line.clear();
    process.stdout.write(`${done}\n`);
  } catch (error) {
    line.clear();
    throw usageErrorOf(error);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

function usageErrorOf(error: unknown): unknown {
  const isTold =
    error instanceof PullError || error instanceof RegistryError || error instanceof BadImageError;
  const isSystem = error instanceof Error && 'syscall' in error;
  return isTold || isSystem ? new UsageError(error.message) : error;
}

/** One line that is written over, on a terminal. */
class ProgressLine {
  readonly #isShown: boolean;

  constructor(isShown: boolean) {
    this.#isShown = isShown;
  }

  show({ image, layersDone, layersTotal, bytesDone, bytesTotal }: PullProgress): void {
    if (!this.#isShown) return;
    const bytes = `${megabytes(bytesDone)} of ${megabytes(bytesTotal)}`;
    process.stderr.write(`\r\x1b[K${image}: ${bytes}, ${layersDone} of ${layersTotal} layers`);
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\x1b[K');
  }
}
