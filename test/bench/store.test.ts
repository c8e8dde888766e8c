import { describe, expect, it } from 'vitest';
import { databasesFor, reportOf, type Step, speakersFor } from '../../bench/store/report.ts';

const steps: Step[] = [
  { name: 'a final is stored', perSpeakerSecond: 0.2, perSecond: 2000 },
  { name: 'claims are renewed', perSpeakerSecond: 0.0125, perSecond: 1000 },
  { name: 'a log is read', perSpeakerSecond: 0, perSecond: 10 },
];

describe('what speakers take of a database', () => {
  it('is the time that their steps take, one after the other', () => {
    // 0.1 ms for each final, five seconds apart, and 1 ms for sixteen renewals.
    expect(speakersFor(steps)).toBeCloseTo(1 / (0.2 / 2000 + 0.0125 / 1000), 6);
    expect(speakersFor([{ ...steps[0]!, perSpeakerSecond: 0.4 }])).toBeCloseTo(5000, 6);
  });

  it('leaves half of each database free', () => {
    expect(databasesFor(4000, steps)).toBe(1);
    expect(databasesFor(5000, steps)).toBe(2);
  });

  it('is shown beside the nodes it takes', () => {
    expect(reportOf(steps, 64)).toMatch(/\| 1,000 \| 63 \| 126 \| 76 \| 200 \| 1 \|/);
  });
});
