// Paths of requests as clients write them, percent-encoded, into the decoded form of Request. Pure.
// Invariant: a path is split before it is decoded, so no encoded slash can change what it means.
import { badRequest, StatusError } from '../status.ts';

/** The path with each segment decoded. Throws BadRequest for a malformed encoding, and for one that hides a slash. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  return path.split('/').map(decodeSegment).join('/');
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch (cause) {
    throw new StatusError('BadRequest', 'the path has a malformed percent encoding', { cause });
  }
  if (/[/\0]/.test(decoded)) throw badRequest(`the path has a segment with a slash: ${segment}`);
  return decoded;
}
