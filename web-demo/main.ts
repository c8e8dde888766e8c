import { EarshotPage } from './components/page.ts';

customElements.define('earshot-page', EarshotPage);
