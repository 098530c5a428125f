// What runtimes behind CRI are known not to do: refused with words, and only by versions that are too old.
import { expect, it } from 'vitest';
import { refuseContainer } from './unsupported.ts';

const plain = { hostPath: '/srv', containerPath: '/srv', readOnly: false };
const shown = { hostPath: '', containerPath: '/model', readOnly: true, image: { id: 'sha256:1' } };

it.each([
  ['containerd', '1.6.20~ds1'],
  ['containerd', '2.0.4'],
  ['cri-o', '1.30.9'],
])('%s %s is not asked to show an image as a volume', (name, version) => {
  expect(() => refuseContainer({ name, version }, { mounts: [plain, shown] })).toThrow(
    `${name} ${version} shows no images as volumes`,
  );
  refuseContainer({ name, version }, { mounts: [plain] });
});

it.each([
  ['containerd', 'v2.1.0'],
  ['containerd', '3.0.0'],
  ['cri-o', '1.31.0'],
  ['another', '0.1'],
])('%s %s is asked', (name, version) => {
  refuseContainer({ name, version }, { mounts: [shown] });
});
