// An image of a few megabytes that can do nearly anything: the host's shell, its small programs and Perl without modules.
// Invariant: made without a network, from what every Debian has; the same host gives the same image.
import { mkdirSync } from 'node:fs';
import { silentLogger } from '../../base/logger.ts';
import { type BuildFile, buildImage } from '../../kubelet/images/build.ts';
import { createImageStore } from '../../kubelet/images/image-store.ts';
import { sharedLibraries } from '../../kubelet/images/node-base-layer.ts';
import type { System } from '../../system/system.ts';

/** Its name. */
export const PERL_IMAGE = 'test/perl:1';
/** Answers every HTTP request with 200 on the port that is its argument; ends at SIGTERM. A few megabytes in memory. */
export const SERVE = '/bin/serve';

const PROGRAMS = ['cat', 'dd', 'env', 'id', 'ln', 'ls', 'mkdir', 'mkfifo', 'rm', 'sleep', 'touch'];

// Numbers are those of Linux: AF_INET, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR.
const SERVER = `#!/bin/perl
$SIG{TERM} = sub { exit 0 };
socket(S, 2, 1, 0) or die "socket: $!";
setsockopt(S, 1, 2, pack('i', 1));
bind(S, pack('SnNx8', 2, $ARGV[0], 0)) or die "bind: $!";
listen(S, 128) or die "listen: $!";
while (1) {
  accept(C, S) or next;
  sysread(C, $request, 4096);
  syswrite(C, "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n");
  close(C);
}
`;

/** Builds it into an image store. */
export async function buildPerlImage(system: System, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const store = createImageStore({ system, dir: directory, logger: silentLogger });
  const files = new Map<string, BuildFile>();
  const add = async (source: string, target: string) => {
    files.set(target, { source, target, mode: 0o755 });
    for (const library of await sharedLibraries(system, source)) files.set(library.target, library);
  };
  await add('/bin/dash', '/bin/sh');
  await add('/usr/bin/perl', '/bin/perl');
  for (const name of PROGRAMS) await add(`/bin/${name}`, `/bin/${name}`);
  await buildImage(store, {
    name: PERL_IMAGE,
    layers: [
      { files: [...files.values()] },
      {
        files: [
          { content: SERVER, target: SERVE, mode: 0o755 },
          { directory: true, target: '/tmp', mode: 0o1777 },
        ],
      },
    ],
    config: { Cmd: ['/bin/sh'] },
  });
}
