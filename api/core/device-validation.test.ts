// Rules of volumes that containers are given as devices.
import { expect, it } from 'vitest';
import { validateVolumeDevices } from './device-validation.ts';

const device = (name: string, devicePath: string) => ({ name, devicePath });

it.each<[string, readonly { name: string; devicePath: string }[], readonly string[]]>([
  ['of a volume of the pod', [device('v', '/dev/a')], []],
  ['without a name', [device('', '/dev/a')], ['[0].name: Required value']],
  ['of no volume', [device('x', '/dev/a')], ['[0].name: Not found: "x"']],
  [
    'of a volume that is mounted, too',
    [device('m', '/dev/a')],
    ['[0].name: Invalid value: "m": must not already exist in volumeMounts'],
  ],
  ['without a place', [device('v', '')], ['[0].devicePath: Required value']],
  [
    'in one place twice',
    [device('v', '/dev/a'), device('w', '/dev/a')],
    ['[1].devicePath: Invalid value: "/dev/a": must be unique'],
  ],
  [
    'where a volume is mounted',
    [device('v', '/m')],
    ['[0].devicePath: Invalid value: "/m": must not already exist as a path in volumeMounts'],
  ],
  [
    'out of its place',
    [device('v', '/dev/../a')],
    ['[0].devicePath: Invalid value: "/dev/../a": must not contain \'..\''],
  ],
])('a device %s', (_, volumeDevices, told) => {
  const container = {
    name: 'c',
    volumeMounts: [{ name: 'm', mountPath: '/m' }],
    volumeDevices: [...volumeDevices],
  };
  const errors = validateVolumeDevices(container, new Set(['v', 'w', 'm']), 'd');
  expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(
    told.map((each) => `d${each}`),
  );
});
