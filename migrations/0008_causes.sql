-- What went wrong in an ended task: JSON [{class, remedy}], each class once; NULL where nothing did, or not yet ended.
ALTER TABLE task ADD COLUMN causes TEXT;
