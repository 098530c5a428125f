// Names of jobs become parts of their pods' names, which are host names too.
// Pure; wordings are those API clients know.
import { dnsLabel } from '../meta/names.ts';

/** A word of warning about a name that is a subdomain but no label. */
export function podNameWarnings(name: string | undefined): string[] {
  const why = name === undefined ? undefined : dnsLabel(name);
  if (why === undefined) return [];
  return [
    'metadata.name: this is used in Pod names and hostnames, which can result in surprising ' +
      `behavior; a DNS label is recommended: [${why}]`,
  ];
}
