// The program that holds a pod's process namespace as its first process: it asks the kernel to reap whatever is left to it, and waits for ever.
// Written here as the bytes of a static ELF file, so that neither a compiler nor an image is needed: 188 bytes, some 10 kB of memory.
// Invariant: it handles no signal, so that nothing from within the namespace can end it (pid_namespaces(7)).

/** ELF header and one program header (elf(5)); the code follows them. */
const HEADER_BYTES = 0x78;
const LOAD_ADDRESS = 0x40_0000n;
const SIGCHLD = 17;
/** struct kernel_sigaction with SIG_IGN: ended children of a process that ignores SIGCHLD are reaped by the kernel (sigaction(2)). */
const IGNORE = Buffer.alloc(32);
IGNORE.writeBigUInt64LE(1n);

/** Number of the architecture in ELF files, and its instructions; they end where IGNORE begins. */
interface Machine {
  readonly elf: number;
  readonly code: Buffer;
}

const MACHINES: Readonly<Record<string, Machine>> = {
  x64: {
    elf: 62,
    code: Buffer.from(
      [
        [0xb8, 13, 0, 0, 0], // mov eax, rt_sigaction
        [0xbf, SIGCHLD, 0, 0, 0], // mov edi, SIGCHLD
        [0x48, 0x8d, 0x35, 19, 0, 0, 0], // lea rsi, [rip + 19]: IGNORE
        [0x31, 0xd2], // xor edx, edx
        [0x41, 0xba, 8, 0, 0, 0], // mov r10d, 8: bytes of a signal set
        [0x0f, 0x05], // syscall
        [0xb8, 34, 0, 0, 0], // again: mov eax, pause
        [0x0f, 0x05], // syscall
        [0xeb, 0xf7], // jmp again
      ].flat(),
    ),
  },
  arm64: {
    elf: 183,
    code: words([
      moveTo(8, 134), // rt_sigaction
      moveTo(0, SIGCHLD),
      0x10000001 | (12 << 5), // adr x1, 12 instructions on: IGNORE
      moveTo(2, 0),
      moveTo(3, 8), // bytes of a signal set
      0xd4000001, // svc 0
      moveTo(8, 73), // again: ppoll of nothing, for ever
      ...[0, 1, 2, 3, 4].map((register) => moveTo(register, 0)),
      0xd4000001, // svc 0
      0x17fffff9, // b again
    ]),
  },
};

/** `mov xREGISTER, VALUE` of arm64. */
function moveTo(register: number, value: number): number {
  return 0xd2800000 | (value << 5) | register;
}

function words(instructions: readonly number[]): Buffer {
  const code = Buffer.alloc(instructions.length * 4);
  instructions.forEach((instruction, i) => code.writeUInt32LE(instruction >>> 0, i * 4));
  return code;
}

/** The file for an architecture as Node names it. Throws where there is none. */
export function pauseProgram(architecture: string): Uint8Array {
  const machine = MACHINES[architecture];
  if (!machine) throw new Error(`there is no pause program for ${architecture}`);
  const size = BigInt(HEADER_BYTES + machine.code.length + IGNORE.length);
  const header = Buffer.alloc(HEADER_BYTES);
  // 64 bits, little-endian, version 1; the type is EXEC.
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 0x10);
  header.writeUInt16LE(machine.elf, 0x12);
  header.writeUInt32LE(1, 0x14);
  header.writeBigUInt64LE(LOAD_ADDRESS + BigInt(HEADER_BYTES), 0x18);
  header.writeBigUInt64LE(0x40n, 0x20);
  header.writeUInt16LE(0x40, 0x34);
  header.writeUInt16LE(0x38, 0x36);
  header.writeUInt16LE(1, 0x38);
  // One segment, LOAD, to be read and executed: the whole file.
  header.writeUInt32LE(1, 0x40);
  header.writeUInt32LE(5, 0x44);
  header.writeBigUInt64LE(LOAD_ADDRESS, 0x50);
  header.writeBigUInt64LE(LOAD_ADDRESS, 0x58);
  header.writeBigUInt64LE(size, 0x60);
  header.writeBigUInt64LE(size, 0x68);
  header.writeBigUInt64LE(0x1000n, 0x70);
  return Buffer.concat([header, machine.code, IGNORE]);
}
