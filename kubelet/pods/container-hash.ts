// What of a container's specification a running container cannot change. Pure.
// Rule as upstream since 1.31: its image and name; resources and the rest do not restart it.
import { createHash } from 'node:crypto';
import type { Container } from '../../api/generated/types.ts';

/** The same for two specifications that one running container can serve. */
export function containerHash(container: Container): string {
  const { name, image } = container;
  return createHash('sha256').update(JSON.stringify({ name, image })).digest('hex').slice(0, 16);
}
