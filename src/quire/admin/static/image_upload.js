// Images in a text: chosen from the media, or uploaded with their alternative text after “Insert”.
"use strict";

function escapeMarkdown(text) {
  return text.replace(/\s+/g, " ").replace(/[\\[\]]/g, "\\$&").trim();
}

function mediaMarkdown(media, alt) {
  if (media.width) return `![${escapeMarkdown(alt)}](${media.url})`;
  return `[${escapeMarkdown(alt || media.original_name)}](${media.url})`;
}

function uploadInto(editor, address, place) {
  let inserted = 0;
  const use = (media, alt) => {
    const markdown = mediaMarkdown(media, alt);
    editor.insertAt(place.at, inserted ? `\n\n${markdown}` : markdown);
    inserted += 1;
  };
  const done = () => { place.release(); editor.view.focus(); };
  return new UploadDialog(address, { label: translate("Insert"), heading: translate("Insert files"), use, done });
}

function addPictures(editor, address) {
  editor.onFiles = (files, at) => uploadInto(editor, address, editor.track(at)).add(files);
  editor.onPicture = () => {
    const place = editor.track(editor.selection().to);
    const insert = (media) => editor.insertAt(place.at, mediaMarkdown(media, media.alt));
    const onFiles = (files) => editor.onFiles(files, place.at);
    const library = new LibraryDialog(address, { heading: translate("Insert an image or file"), insert, onFiles });
    library.closed.then(() => { place.release(); editor.view.focus(); });
  };
}
