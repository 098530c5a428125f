// The part of an OCI image configuration that running it needs. Pure; reads what others wrote, so it trusts no field.

/** What an image says about its process. Field names are those of the OCI image specification. */
export interface ImageProcess {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly StopSignal?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

/** An OCI image configuration. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly config: ImageProcess;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] };
}

/** An archive that is not what it says; the message is one line for the user. */
export class BadImageError extends Error {
  override readonly name = 'BadImageError';
}

/** Most layers of an image: overlayfs takes its lower directories in one page of options. */
export const MAX_LAYERS = 128;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether the text is a sha256 digest, the only kind that is taken. */
export function isDigest(text: unknown): text is string {
  return typeof text === 'string' && DIGEST.test(text);
}

/** This host's name in the `architecture` field of images. */
export function hostArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

/** Reads a configuration; throws BadImageError when it is not for the platform, this host's unless given. */
export function parseImageConfig(
  text: string,
  wanted: { os: string; architecture: string } = { os: 'linux', architecture: hostArchitecture() },
): ImageConfig {
  const raw = parseRecord(text, 'image configuration');
  const rootfs = asRecord(raw['rootfs']);
  const diffIds = rootfs?.['diff_ids'];
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest))
    throw new BadImageError('the image configuration lists no layers (rootfs.diff_ids)');
  if (diffIds.length > MAX_LAYERS)
    throw new BadImageError(`the image has ${diffIds.length} layers; at most ${MAX_LAYERS} work`);
  const architecture = asText(raw['architecture']) || wanted.architecture;
  const os = asText(raw['os']) || wanted.os;
  if (os !== wanted.os || architecture !== wanted.architecture)
    throw new BadImageError(
      `the image is for ${os}/${architecture}, this host is ${wanted.os}/${wanted.architecture}`,
    );
  const config = processOf(asRecord(raw['config']) ?? {});
  return { architecture, os, config, rootfs: { type: 'layers', diff_ids: diffIds } };
}

function processOf(raw: Readonly<Record<string, unknown>>): ImageProcess {
  const texts = (name: string) => {
    const value = raw[name];
    return Array.isArray(value) && value.every((item) => typeof item === 'string')
      ? { [name]: value as string[] }
      : {};
  };
  const text = (name: string) => {
    const value = asText(raw[name]);
    return value ? { [name]: value } : {};
  };
  return {
    ...texts('Entrypoint'),
    ...texts('Cmd'),
    ...texts('Env'),
    ...text('WorkingDir'),
    ...text('User'),
    ...text('StopSignal'),
  };
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value as an object, or undefined. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** Parses a JSON object; throws BadImageError that names `what`. */
export function parseRecord(text: string, what: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadImageError(`the ${what} is not JSON`);
  }
  const record = asRecord(value);
  if (!record) throw new BadImageError(`the ${what} is not an object`);
  return record;
}
