// The commands that run parts of a cluster: up, down, and one component as a process of its own.
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { defaultDataDirectory } from './data-directory.ts';
import { registerImageCommands } from './register-images.ts';

interface UpFlags {
  readonly dataDir: string;
  readonly port?: number;
  readonly kubeconfig?: string;
  readonly kubeletConfig?: string;
  readonly registries?: string;
  readonly admissionControlConfigFile?: string;
  readonly containerRuntimeEndpoint?: string;
  readonly detach?: boolean;
  readonly node: boolean;
}

const port = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535)
    throw new InvalidArgumentError('a port is a whole number from 0 to 65535');
  return value;
};

const dataDir = () =>
  new Option('--data-dir <dir>', 'where the cluster keeps its data').default(
    defaultDataDirectory(process.env),
  );

const admissionConfig = () =>
  new Option(
    '--admission-control-config-file <file>',
    'credentials that admission webhooks are called with: an AdmissionConfiguration, YAML or JSON (default: the one given last; "" for none)',
  );

/** Adds the commands to the program. */
export function registerServeCommands(program: Command): void {
  program
    .command('up')
    .description('start a cluster on this machine')
    .addOption(dataDir())
    .option(
      '--port <n>',
      'port of the API server on 127.0.0.1 (default: the one named last, else 6443); 0 picks a free one for this run',
      port,
    )
    .option(
      '--kubeconfig <file>',
      'write the kubeconfig here too (default: only to kubeconfig in the data directory)',
    )
    .option(
      '--detach',
      'return once the cluster is up; `npx pinnace down` ends it (default: stay, until Ctrl-C)',
    )
    .option(
      '--kubelet-config <file>',
      'how the node agent runs this machine: a KubeletConfiguration, YAML or JSON (default: the one given last, else the defaults of upstream)',
    )
    .option(
      '--registries <file>',
      'registries and their mirrors, certificates and passwords: JSON, as docs/guide/images.md tells (default: the one given last, else each registry is asked itself)',
    )
    .option(
      '--container-runtime-endpoint <socket>',
      'containers are run by the runtime that serves CRI here, such as unix:///run/containerd/containerd.sock (default: the one given last, else runc and conmon; "" for those)',
    )
    .addOption(admissionConfig())
    .option('--no-node', 'API server, controllers and scheduler only (default: run pods, too)')
    .action(async (flags: UpFlags) => {
      const { runUp } = await import('./up-command.ts');
      await runUp(flags);
    });
  program
    .command('down')
    .description('stop a cluster and remove everything it made on this machine but its data')
    .addOption(dataDir())
    .action(async (flags: { dataDir: string }) => {
      const { stopCluster } = await import('./down.ts');
      const outcome = await stopCluster(flags.dataDir);
      process.stdout.write(
        outcome === 'stopped' ? 'the cluster is down\n' : 'nothing was running; cleaned up\n',
      );
    });
  registerImageCommands(program.command('image').description('images of this machine'), dataDir);
  registerComponents(program);
}

/** Adds the commands that run one part of a cluster as a process of its own. */
function registerComponents(program: Command): void {
  const component = (name: string, module: string, description: string) =>
    program
      .command(name)
      .description(description)
      .addOption(dataDir())
      .action(async (flags: { dataDir: string }) => {
        const { runComponent } = (await import(module)) as {
          runComponent: (dataDir: string, flags: object) => Promise<void>;
        };
        await runComponent(flags.dataDir, flags);
      });
  component('apiserver', './apiserver.ts', 'run the API server alone').addOption(admissionConfig());
  const securePort = (usual: number) =>
    new Option(
      '--secure-port <n>',
      `port for health and figures on 127.0.0.1 (default: ${usual}); 0 for none`,
    ).argParser(port);
  component('controllers', './controllers.ts', 'run the built-in controllers alone').addOption(
    securePort(10_257),
  );
  component('scheduler', './scheduler.ts', 'run the scheduler alone').addOption(securePort(10_259));
  component('node', './node.ts', 'run the node agent alone');
}
