// The commands of `pinnace image` and their flags.
// Invariant: nothing of images is loaded before one of them runs.
import { type Command, Option } from 'commander';
import type { ImageFlags } from './image-store.ts';
import type { TransferFlags } from './image-transfer.ts';

/** Adds them below `image`. */
export function registerImageCommands(image: Command, dataDir: () => Option): void {
  registerStored(image, dataDir);
  registerTransfers(image, dataDir);
}

function registerStored(image: Command, dataDir: () => Option): void {
  const commands = () => import('./image-commands.ts');
  image
    .command('load <files...>')
    .description('load OCI or docker archives (tar, gzip, zstd)')
    .addOption(dataDir())
    .option('--name <name>', 'name for an archive that names none')
    .action(async (files: string[], flags: ImageFlags & { name?: string }) =>
      (await commands()).loadImages(files, flags),
    );
  image
    .command('ls')
    .description('list images')
    .addOption(dataDir())
    .addOption(new Option('-o, --output <form>', 'how to write them').choices(['table', 'json']))
    .action(async (flags: ImageFlags & { output?: string }) =>
      (await commands()).listImages(flags),
    );
  image
    .command('rm <images...>')
    .description('remove names or images, and layers that nothing uses')
    .addOption(dataDir())
    .action(async (images: string[], flags: ImageFlags) =>
      (await commands()).removeImages(images, flags),
    );
  image
    .command('inspect <images...>')
    .description('tell all that is known of images, as JSON')
    .addOption(dataDir())
    .action(async (images: string[], flags: ImageFlags) =>
      (await commands()).inspectImages(images, flags),
    );
  image
    .command('history <image>')
    .description('tell the steps by which an image was made')
    .addOption(dataDir())
    .action(async (name: string, flags: ImageFlags) =>
      (await commands()).imageHistory(name, flags),
    );
  image
    .command('prune')
    .description('remove images without names, and layers and blobs that nothing uses')
    .addOption(dataDir())
    .option('--all', 'remove every image from which no container runs')
    .action(async (flags: ImageFlags & { all?: boolean }) => (await commands()).pruneImages(flags));
  image
    .command('build-shop')
    .description("build the shop's images from this machine's own Node")
    .addOption(dataDir())
    .action(async (flags: ImageFlags) => (await commands()).buildShop(flags));
}

function registerTransfers(image: Command, dataDir: () => Option): void {
  const commands = () => import('./image-transfer.ts');
  const transfer = (name: string, description: string) =>
    image
      .command(name)
      .description(description)
      .addOption(dataDir())
      .option('--registries <file>', 'settings of registries (default: those of the cluster)')
      .option('--creds <user:password>', 'who asks')
      .option('--username <user>', 'who asks, with --password-stdin')
      .option('--password-stdin', 'read the password from standard input')
      .option('--plain-http', 'speak to the registry without TLS')
      .option('-q, --quiet', 'show no progress');
  transfer('pull <images...>', 'pull images from their registries')
    .option('--platform <platform>', "os/architecture[/variant] (default: this machine's)")
    .action(async (images: string[], flags: TransferFlags) =>
      (await commands()).pullImages(images, flags),
    );
  transfer(
    'push <image> [target]',
    'push an image to the registry of its name, or of another name',
  ).action(async (name: string, target: string | undefined, flags: TransferFlags) =>
    (await commands()).pushTo(name, target, flags),
  );
  image
    .command('save <images...>')
    .description('write images to an archive, an OCI layout as a tar')
    .addOption(dataDir())
    .option('-o, --output <file>', 'the archive (default: standard output)')
    .action(async (images: string[], flags: ImageFlags & { output?: string }) =>
      (await commands()).saveTo(images, flags),
    );
}
