import { mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ModelErrorReason } from '../../src/models/model-error.ts';
import { openCheckpoint } from '../../src/whisper/weights/checkpoint.ts';
import { SPECIAL_TOKENS, type TinyOptions, tinyCheckpoint } from './tiny-checkpoint.ts';

const root = mkdtempSync(join(tmpdir(), 'checkpoint-'));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const tiny = (options: TinyOptions = {}) => tinyCheckpoint(join(root, `tiny-${folders++}`), options);

describe('a checkpoint', () => {
  it('tells the shape of the model and the tokens that mean something', async () => {
    const checkpoint = await openCheckpoint(await tiny({ mels: 128 }));
    expect(checkpoint.config).toEqual({
      dModel: 24,
      encoderLayers: 2,
      decoderLayers: 3,
      encoderHeads: 3,
      decoderHeads: 2,
      encoderFfnDim: 40,
      decoderFfnDim: 40,
      mels: 128,
      vocabSize: 70,
      maxSourcePositions: 20,
      maxTargetPositions: 16,
      tokens: {
        endOfText: 50,
        startOfTranscript: 51,
        startOfPrevious: 58,
        noSpeech: 59,
        noTimestamps: 60,
        firstTimestamp: 61,
        transcribe: 56,
        translate: 55,
      },
      languages: { en: 52, ko: 53, haw: 54 },
      suppressTokens: [1, 2],
      beginSuppressTokens: [3],
      alignmentHeads: [
        [0, 0],
        [2, 1],
      ],
      maxInitialTimestampIndex: 50,
    });
    expect(checkpoint.name).toMatch(/^tiny-\d+$/);
    expect(checkpoint.tokenizerPath).toBe(join(checkpoint.folder, 'tokenizer.json'));
  });

  it('knows an English-only model, which has one language and one task', async () => {
    const { config } = await openCheckpoint(await tiny({ generation: { is_multilingual: false } }));
    expect(config.languages).toEqual({});
    expect(config.tokens).toMatchObject({ transcribe: null, translate: null });
  });

  it('takes what an old generation configuration lacks from the model and its tokenizer', async () => {
    const { config } = await openCheckpoint(
      await tiny({
        generation: null,
        config: { suppress_tokens: [5], begin_suppress_tokens: [6] },
        addedTokens: { ...SPECIAL_TOKENS, '<|0.00|>': 65, '<|nospeech|>': 66 },
      }),
    );
    expect(config).toMatchObject({ suppressTokens: [5], beginSuppressTokens: [6] });
    expect(config.tokens).toMatchObject({ firstTimestamp: 65, noSpeech: 66 });
    // All heads of the upper half.
    expect(config.alignmentHeads).toEqual([
      [1, 0],
      [1, 1],
      [2, 0],
      [2, 1],
    ]);
  });
});

/** Rewrites a safetensors header in place of the old one. */
function editHeader(folder: string, edit: (header: Record<string, Record<string, unknown>>) => void): void {
  const file = join(folder, 'model.safetensors');
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  edit(header);
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(file, Buffer.concat([head, text, bytes.subarray(8 + length)]));
}

const weights = (folder: string) => join(folder, 'model.safetensors');
const CONV = 'model.encoder.conv1.bias';

describe('a folder that is no usable checkpoint', () => {
  const cases: [string, ModelErrorReason, RegExp, (folder: string) => void][] = [
    ['no configuration', 'missing', /config\.json/, (folder) => unlinkSync(join(folder, 'config.json'))],
    ['no tokenizer', 'missing', /tokenizer\.json/, (folder) => unlinkSync(join(folder, 'tokenizer.json'))],
    ['no weights', 'missing', /model\.safetensors/, (folder) => unlinkSync(weights(folder))],
    ['half a JSON', 'damaged', /config\.json/, (folder) => truncateSync(join(folder, 'config.json'), 20)],
    [
      'half its weights',
      'damaged',
      /model\.safetensors.*ends before/,
      (folder) => truncateSync(weights(folder), 20_000),
    ],
    ['an empty file of weights', 'damaged', /too short/, (folder) => truncateSync(weights(folder), 0)],
    [
      'a header larger than the file',
      'damaged',
      /claims/,
      (folder) => writeFileSync(weights(folder), Buffer.alloc(64, 1)),
    ],
    [
      'a header that is no JSON',
      'damaged',
      /not a JSON object/,
      (folder) =>
        writeFileSync(
          weights(folder),
          Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('nope')]),
        ),
    ],
    [
      'a tensor of no known type',
      'damaged',
      /malformed at .*conv1/,
      (folder) =>
        editHeader(folder, (header) => {
          header[CONV]!.dtype = 'F7';
        }),
    ],
    [
      'a tensor of a wrong length',
      'damaged',
      /conv1\.bias has \d+ bytes/,
      (folder) =>
        editHeader(folder, (header) => {
          header[CONV]!.shape = [25];
        }),
    ],
    [
      'a tensor too few',
      'damaged',
      /lack encoder\.conv1\.bias/,
      (folder) =>
        editHeader(folder, (header) => {
          delete header[CONV];
        }),
    ],
    [
      'a tensor of another shape than configured',
      'damaged',
      /conv1\.bias is \[2, 12\].*\[24\]/,
      (folder) =>
        editHeader(folder, (header) => {
          header[CONV]!.shape = [2, 12];
        }),
    ],
    [
      'numbers that are not real',
      'unsupported',
      /I32/,
      (folder) =>
        editHeader(folder, (header) => {
          header[CONV]!.dtype = 'I32';
        }),
    ],
    [
      'integers without scales',
      'damaged',
      /lack .*scales/,
      (folder) =>
        editHeader(folder, (header) => {
          Object.assign(header[CONV]!, { dtype: 'I8', shape: [24], data_offsets: [0, 24] });
        }),
    ],
    [
      'an index that leads elsewhere',
      'damaged',
      /not in the folder/,
      (folder) =>
        writeFileSync(
          join(folder, 'model.safetensors.index.json'),
          '{"weight_map":{"a":"../b.safetensors"}}',
        ),
    ],
    [
      'an index that is none',
      'damaged',
      /index\.json is malformed/,
      (folder) => writeFileSync(join(folder, 'model.safetensors.index.json'), '['),
    ],
  ];

  it.each(cases)('with %s is %s, and the message says where', async (_, reason, message, spoil) => {
    const folder = await tiny();
    spoil(folder);
    await expect(openCheckpoint(folder)).rejects.toMatchObject({
      name: 'ModelError',
      reason,
      message: expect.stringMatching(message),
    });
  });

  it.each<[string, ModelErrorReason, RegExp, TinyOptions]>([
    ['another architecture', 'unsupported', /llama/, { config: { model_type: 'llama' } }],
    ['another activation', 'unsupported', /relu/, { config: { activation_function: 'relu' } }],
    ['heads that do not divide', 'damaged', /7 heads/, { config: { encoder_attention_heads: 7 } }],
    ['a size that is no number', 'damaged', /d_model/, { config: { d_model: 'wide' } }],
    [
      'an alignment head too many',
      'damaged',
      /alignment head 3,0/,
      { generation: { alignment_heads: [[3, 0]] } },
    ],
    [
      'a tokenizer of something else',
      'unsupported',
      /<\|notimestamps\|>/,
      { addedTokens: { '<|endoftext|>': 1 } },
    ],
  ])('with %s is %s', async (_, reason, message, options) => {
    await expect(openCheckpoint(await tiny(options))).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });

  it('is missing where there is no folder', async () => {
    await expect(openCheckpoint(join(root, 'nowhere'))).rejects.toMatchObject({ reason: 'missing' });
  });
});
