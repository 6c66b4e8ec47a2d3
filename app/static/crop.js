// Cutting a chosen picture to a shape before it is sent: by mouse, finger and keyboard. What is posted is where to cut,
// as parts of the picture; the server cuts. Without this script it takes the middle.
(() => {
  'use strict';
  const LONGEST = 1200; // pixels on which the picture is shown
  const STEP = 0.01, LEAP = 0.05, GROW = 0.96;
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const clamp = (n, least, most) => Math.min(Math.max(n, least), Math.max(least, most));
  const percent = (n) => Math.round(n * 100);

  document.querySelectorAll('input[type=file][data-crop]').forEach((input) => {
    const [wide, high] = input.dataset.crop.split('x').map(Number);
    const stage = document.getElementById(`${input.id}-crop`);
    const part = (selector) => stage.querySelector(selector);
    const picture = part('.crop-picture'), frame = part('.crop-box'), result = part('.crop-result');
    const size = part('input[type=range]'), said = stage.nextElementSibling;
    const fields = ['left', 'top', 'width'].map((name) => input.form.elements[`crop_${name}`]);
    let image = null, most = 1, least = 0.1, box = { left: 0, top: 0, width: 1 }, timer;

    const tall = () => (box.width * image.width * high) / wide / image.height; // part of the picture's height
    const place = (next) => {
      box = { ...box, ...next };
      box.width = clamp(box.width, least, most);
      box.left = clamp(box.left, 0, 1 - box.width);
      box.top = clamp(box.top, 0, 1 - tall());
      show();
    };
    const resize = (width) => place({ // about its middle
      width, left: box.left + (box.width - clamp(width, least, most)) / 2,
      top: box.top + tall() * (1 - clamp(width, least, most) / box.width) / 2,
    });
    const show = () => {
      Object.assign(frame.style, {
        left: `${box.left * 100}%`, top: `${box.top * 100}%`, width: `${box.width * 100}%`, height: `${tall() * 100}%`,
      });
      const { width, height } = image;
      result.getContext('2d').drawImage(
        image, box.left * width, box.top * height, box.width * width, tall() * height, 0, 0, result.width, result.height,
      );
      size.value = percent((box.width - least) / Math.max(most - least, 0.001));
      [box.left, box.top, box.width].forEach((n, i) => { fields[i].value = n.toFixed(4); });
      clearTimeout(timer);
      timer = setTimeout(() => {
        tell(stage.dataset.saysBox.replace('{x}', percent(box.left)).replace('{y}', percent(box.top)).replace('{w}', percent(box.width)), false);
      }, 600);
    };
    const tell = (text, isFault) => {
      said.className = isFault ? 'error' : 'visually-hidden';
      said.textContent = text;
    };

    input.addEventListener('change', async () => {
      const file = input.files[0];
      image = null;
      stage.hidden = true;
      clearTimeout(timer);
      fields.forEach((field) => { field.value = ''; });
      tell('', false);
      if (!file) return;
      let found;
      try {
        found = await createImageBitmap(file, { imageOrientation: 'from-image' });
      } catch (trouble) {
        if (input.files[0] === file) tell(stage.dataset.saysBroken, true);
        return;
      }
      if (input.files[0] !== file) return; // another one was chosen meanwhile
      image = found;
      const scale = Math.min(1, LONGEST / Math.max(image.width, image.height));
      picture.width = Math.round(image.width * scale);
      picture.height = Math.round(image.height * scale);
      picture.getContext('2d').drawImage(image, 0, 0, picture.width, picture.height);
      most = Math.min(1, (image.height * wide) / high / image.width);
      least = most / 5;
      box = { left: 0, top: 0, width: most };
      stage.hidden = false;
      place({ left: (1 - most) / 2, top: (1 - tall()) / 2 });
    });
    size.addEventListener('input', () => { if (image) resize(least + (size.value / 100) * (most - least)); });

    frame.addEventListener('keydown', (event) => {
      if (!image || event.ctrlKey || event.metaKey || event.altKey) return;
      const way = KEYS[event.key], step = event.shiftKey ? LEAP : STEP;
      if (way) place({ left: box.left + way[0] * step, top: box.top + way[1] * step });
      else if (event.key === '+' || event.key === '=') resize(box.width / GROW);
      else if (event.key === '-' || event.key === '_') resize(box.width * GROW);
      else return;
      event.preventDefault();
    });

    // a drag moves the box, from its corner it changes the size
    let drag = null;
    frame.addEventListener('pointerdown', (event) => {
      if (!image || !event.isPrimary) return;
      drag = { x: event.clientX, y: event.clientY, box: { ...box }, grows: event.target.matches('.crop-grip') };
      frame.setPointerCapture(event.pointerId);
    });
    frame.addEventListener('pointermove', (event) => {
      if (!drag) return;
      const shown = picture.getBoundingClientRect();
      const x = (event.clientX - drag.x) / shown.width, y = (event.clientY - drag.y) / shown.height;
      if (!drag.grows) { place({ left: drag.box.left + x, top: drag.box.top + y }); return; }
      const room = Math.min(1 - drag.box.left, ((1 - drag.box.top) * image.height * wide) / high / image.width);
      place({ width: Math.min(drag.box.width + x, room) });
    });
    ['pointerup', 'pointercancel'].forEach((name) => frame.addEventListener(name, () => { drag = null; }));
  });
})();
