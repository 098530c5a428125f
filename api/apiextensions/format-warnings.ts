// What a definition's writer is told though it is accepted: formats of texts that nobody knows say nothing of the texts.
// Invariant: pure; each format is told once, whatever the number of versions and places. The wording is that API users know.
import type { CustomResourceDefinition } from '../generated/types.ts';
import { hasUnknownFormat, SAID, visitSaying } from '../schema/structural/sayings.ts';

/** Unknown formats that one definition is told of; further ones are passed over. */
export const MAX_FORMAT_WARNINGS = 100;

/** The warnings about a definition that was found well. */
export function formatWarnings({ spec }: CustomResourceDefinition): string[] {
  const formats = new Set<string>();
  for (const { schema } of spec.versions) {
    const place = schema?.openAPIV3Schema;
    if (place === undefined) continue;
    visitSaying({ place, path: '' }, SAID.unknownFormat, (at) => {
      if (hasUnknownFormat(at.place)) formats.add(at.place.format ?? '');
    });
  }
  return [...formats]
    .toSorted()
    .slice(0, MAX_FORMAT_WARNINGS)
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}
