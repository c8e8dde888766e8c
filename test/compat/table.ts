/** What is told of another vendor's protocol: docs/compat.md is made of these rows, and tests try each of them. */

/** One field, value, message or event of a protocol. */
export interface Row {
  /** As the vendor writes it, e.g. `timestamp_granularities[]` or `input_audio_buffer.commit`. */
  readonly name: string;
  /**
   * `yes`: as the vendor has it. `differs`: taken or sent, otherwise than the vendor's in the way `how` says.
   * `refused`: answered with an error that names it.
   */
  readonly status: 'yes' | 'differs' | 'refused';
  /** What is to be known about it; needed where it differs or is refused. */
  readonly how?: string;
  /**
   * A value by which a test tries it: one that is refused must be refused with this name in the message, any other must
   * be taken. Left out for what the server sends: such rows are looked for in what tests receive.
   */
  readonly sample?: unknown;
}

/** A part of a protocol, e.g. the fields of one request. */
export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface Protocol {
  /** A heading, e.g. `OpenAI: transcriptions`. */
  readonly title: string;
  readonly sections: readonly Section[];
}
