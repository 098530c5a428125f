// The process that pulls images for an agent: what layers take in memory and time is its own, and ends with it.
// Started by pull-process.ts with an IPC channel. Invariant: it ends with whoever started it.
import { systemClock } from '../../../base/clock.ts';
import { createLogger } from '../../../base/logger.ts';
import { systemRandom } from '../../../base/random.ts';
import { createLinuxSystem } from '../../../system/linux.ts';
import { PullError } from '../../runtime/runtime.ts';
import type { RegistryPuller } from './image-puller.ts';
import type { PullNews, PullOrder } from './pull-messages.ts';
import { createRegistryImageStore } from './registry-image-store.ts';
import { DEFAULT_SETTINGS, parseRegistrySettings } from './registry-settings.ts';

const giveUps = new Map<number, AbortController>();
let puller: RegistryPuller | undefined;

const tell = (news: PullNews): void => void process.send?.(news);

function open({ dir, settings: source, patience }: Extract<PullOrder, { kind: 'open' }>): void {
  const settings = source ? parseRegistrySettings(source.text, source.file) : DEFAULT_SETTINGS;
  const doors = { system: createLinuxSystem(), clock: systemClock, random: systemRandom };
  const logger = createLogger('warn').child({ component: 'images' });
  puller = createRegistryImageStore({ ...doors, logger, dir, settings, patience }).puller;
}

async function pull({
  id,
  image,
  credentials,
}: Extract<PullOrder, { kind: 'pull' }>): Promise<void> {
  const giveUp = new AbortController();
  giveUps.set(id, giveUp);
  try {
    const { signal } = giveUp;
    const onProgress = (progress: Extract<PullNews, { kind: 'progress' }>['progress']) =>
      tell({ kind: 'progress', id, progress });
    const pulled = await puller?.pull(image, { credentials, signal, onProgress });
    if (!pulled) throw new PullError('ErrImagePull', `${image}: there is nowhere to pull it from`);
    tell({ kind: 'done', id, image: pulled });
  } catch (error) {
    const reason = error instanceof PullError ? error.reason : 'ErrImagePull';
    tell({ kind: 'failed', id, reason, message: (error as Error).message });
  } finally {
    giveUps.delete(id);
  }
}

process.on('disconnect', () => process.exit(0));
process.on('message', (order: PullOrder) => {
  if (order.kind === 'open') open(order);
  else if (order.kind === 'pull') void pull(order);
  else giveUps.get(order.id)?.abort(new Error('given up'));
});
