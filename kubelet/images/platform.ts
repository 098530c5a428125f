// Platforms of images: operating system, processor and its variant, as `linux/arm64/v8`. Pure.
// Invariant: a variant that is not told fits any; one that is told must be the wanted one.
import { asRecord, hostArchitecture } from './image-config.ts';

/** What an image runs on. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const PART = /^[a-z0-9][a-z0-9._-]*$/;
/** Variants that are what a processor's name alone means. */
const PLAIN_VARIANTS: Readonly<Record<string, string>> = { arm64: 'v8', arm: 'v7', amd64: 'v1' };

/** This host's. */
export function hostPlatform(): Platform {
  return { os: 'linux', architecture: hostArchitecture() };
}

/** Reads `os/architecture[/variant]`; undefined when it is none. */
export function parsePlatform(text: string): Platform | undefined {
  const [os = '', architecture = '', variant, ...rest] = text.split('/');
  if (rest.length > 0 || ![os, architecture, variant ?? 'none'].every((part) => PART.test(part)))
    return undefined;
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

/** As it is written. */
export function platformText({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** The platform in a descriptor or a configuration; undefined when it tells none. */
export function platformOf(value: unknown): Platform | undefined {
  const { os, architecture, variant } = asRecord(value) ?? {};
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, ...(typeof variant === 'string' && variant !== '' && { variant }) };
}

/** Does what is there run where it is wanted? */
export function isFor(there: Platform, wanted: Platform): boolean {
  return (
    there.os === wanted.os &&
    there.architecture === wanted.architecture &&
    variantOf(there) === variantOf(wanted)
  );
}

function variantOf({ architecture, variant }: Platform): string | undefined {
  return variant ?? PLAIN_VARIANTS[architecture];
}
