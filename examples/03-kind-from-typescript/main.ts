// A kind of one's own from one schema value, on one page: bookings of rooms, with defaults, rules, columns and a status.
// Whoever writes `from` behind `until` is told so by the editor's types where it can, by a unit test without a cluster, and by every server.
// Run it against any cluster: `KUBECONFIG=FILE node_modules/.bin/node examples/03-kind-from-typescript/main.ts`, then `kubectl get bookings`.
// Its definition as YAML: `npx pinnace crd generate examples/03-kind-from-typescript/main.ts`.
import {
  type Client,
  createClient,
  createHttpTransport,
  isInvalid,
  loadKubeconfig,
} from 'pinnace/client';
import { defineKind, installKinds, listSet, type ObjectOf, timestamp } from 'pinnace/controllers';
import { z } from 'zod';

/** Bookings: a client, an informer and a controller take it as they take Pods. */
export const Bookings = defineKind({
  group: 'rooms.example.com',
  version: 'v1',
  kind: 'Booking',
  shortNames: ['bk'],
  description: 'A room, taken for a while.',
  spec: z.object({
    room: z.string().max(63).describe('Which room.'),
    from: timestamp().describe('When it begins.'),
    until: timestamp().describe('When it ends.'),
    seats: z.int32().min(1).max(500).default(4),
    guests: listSet(z.string().max(63)).max(50).default([]),
  }),
  status: z.object({ confirmed: z.boolean().optional() }),
  rules: {
    spec: [
      { rule: 'self.from < self.until', message: 'ends before it begins' },
      { rule: 'self.guests.size() <= self.seats', message: 'more guests than seats' },
    ],
    'spec.room': { rule: 'self == oldSelf', message: 'a booking stays in its room' },
  },
  columns: {
    Room: '.spec.room',
    From: { jsonPath: '.spec.from', type: 'string' },
    Seats: '.spec.seats',
    Confirmed: '.status.confirmed',
  },
  selectableFields: ['.spec.room'],
});

/** `spec.seats` is a number here: whoever reads a booking finds its defaults filled in. */
export type Booking = ObjectOf<typeof Bookings>;

/** Installs the kind, books a room, and answers what the server says to a booking that ends before it begins. */
export async function book(client: Client): Promise<{ booking: Booking; refusal: string }> {
  await installKinds(client, [Bookings]);
  const bookings = client.resource(Bookings);
  const spec = { room: 'attic', from: '2026-03-01T09:00:00Z', until: '2026-03-01T10:00:00Z' };
  const metadata = { name: 'monday', namespace: 'default' };
  const booking = await bookings.patch(
    metadata,
    { type: 'apply', body: Bookings.manifest({ metadata, spec }) },
    { fieldManager: 'example' },
  );
  const backwards = Bookings.object({
    metadata: { ...metadata, name: 'backwards' },
    spec: { ...spec, until: spec.from },
  });
  try {
    await bookings.create(backwards);
    return { booking, refusal: '' };
  } catch (error) {
    if (!isInvalid(error) || !(error instanceof Error)) throw error;
    return { booking, refusal: error.message };
  }
}

async function run(path: string | undefined): Promise<void> {
  if (!path) throw new Error('set KUBECONFIG to the kubeconfig of a cluster');
  const { transport } = await loadKubeconfig(path);
  const http = createHttpTransport(transport);
  const { booking, refusal } = await book(createClient(http));
  process.stdout.write(
    `booked ${booking.spec.room} with ${booking.spec.seats} seats\n${refusal}\n`,
  );
  http.close();
}

if (import.meta.main)
  await run(process.env['KUBECONFIG']).catch((error: unknown) => {
    process.stderr.write(`bookings: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
