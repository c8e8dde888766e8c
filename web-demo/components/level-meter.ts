import { css, html, LitElement } from 'lit';
import { Levels } from '../state/levels.ts';
import { define } from './component.ts';

const BAR_PX = 3;
const STEP_PX = 6;

/**
 * How loud it is, as bars that pass from right to left; one bar that grows for those who asked for less motion.
 * It says nothing that the words do not say, so it is hidden from screen readers.
 */
class LevelMeter extends LitElement {
  static override properties = { levels: { attribute: false } };
  static override styles = css`
    :host {
      display: block;
    }

    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
  `;
  declare levels: Levels;
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)');
  #frame = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    const draw = () => {
      this.#draw();
      this.#frame = requestAnimationFrame(draw);
    };
    this.#frame = requestAnimationFrame(draw);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    cancelAnimationFrame(this.#frame);
  }

  override render() {
    return html`<canvas aria-hidden="true"></canvas>`;
  }

  #draw(): void {
    const canvas = this.renderRoot.querySelector('canvas');
    const pen = canvas?.getContext('2d');
    if (!canvas || !pen) return;
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this);
    if (this.#still.matches) this.#bar(pen, width, height, style);
    else this.#bars(pen, width, height, style);
  }

  #bars(pen: CanvasRenderingContext2D, width: number, height: number, style: CSSStyleDeclaration): void {
    const bars = Math.min(Math.floor(width / STEP_PX), Levels.LENGTH / 2);
    for (let bar = 0; bar < bars; bar += 1) {
      // Two levels to a bar, always the same two, so that a bar keeps its height while it passes.
      const ago = 2 * bar + (this.levels.count % 2);
      const level = Math.max(this.levels.at(ago), this.levels.at(ago + 1));
      const tall = Math.max(BAR_PX, level * height);
      pen.fillStyle = style.getPropertyValue(level > 0.04 ? '--accent' : '--line');
      pen.beginPath();
      pen.roundRect(width - (bar + 1) * STEP_PX + 2, (height - tall) / 2, BAR_PX, tall, BAR_PX / 2);
      pen.fill();
    }
  }

  #bar(pen: CanvasRenderingContext2D, width: number, height: number, style: CSSStyleDeclaration): void {
    let level = 0;
    for (let ago = 0; ago < 12; ago += 1) level = Math.max(level, this.levels.at(ago));
    for (const [part, colour] of [
      [1, '--line'],
      [level, '--accent'],
    ] as const) {
      pen.fillStyle = style.getPropertyValue(colour);
      pen.beginPath();
      pen.roundRect(0, height / 2 - 4, Math.max(8, part * width), 8, 4);
      pen.fill();
    }
  }
}

define('level-meter', LevelMeter);
