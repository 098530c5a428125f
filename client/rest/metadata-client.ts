// A client whose lists and watches show metadata alone: what every kind has, at a fraction of the size.
// Upstream: API concepts, "Metadata-only fetches"; the form is PartialObjectMetadata of meta.k8s.io/v1.
// Invariant: what is asked for is not changed, only in which form it is shown; a server that has no such form shows the whole.
import type { Transport } from '../transport/transport.ts';
import type { Client } from './client.ts';
import { createClient } from './rest-client.ts';

const FORM = 'g=meta.k8s.io;v=v1';
const ONE = `application/json;as=PartialObjectMetadata;${FORM},application/json`;
const MANY = `application/json;as=PartialObjectMetadataList;${FORM},application/json`;

/** The same server's objects as PartialObjectMetadata: `metadata` is whole, all else is left out. For lists and watches only. */
export function metadataClient(client: Client): Client {
  const { transport } = client;
  const upgrade = transport.upgrade?.bind(transport);
  const narrowed: Transport = {
    request: (request) => transport.request({ ...request, accept: MANY }),
    watch: (request) => transport.watch({ ...request, accept: ONE }),
    stream: (request) => transport.stream(request),
    ...(upgrade && { upgrade }),
    close: () => transport.close(),
  };
  return createClient(narrowed);
}
