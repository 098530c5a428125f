// The plural of a kind's name, as resources in URLs have it: lower case, by the plain rules of English.
// Invariant: pure; who has an irregular one says it.

/** `Backup` gives `backups`, `Policy` `policies`, `Ingress` `ingresses`. */
export function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  return /(?:s|x|z|ch|sh)$/.test(name) ? `${name}es` : `${name}s`;
}
